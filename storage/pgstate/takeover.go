package pgstate

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/davd/davd/storage/cluster"
)

// chores are the goroutines of a membership.
type chores struct {
	group sync.WaitGroup
	mu    sync.Mutex
	dead  map[string]bool // the epochs from which this node is taking over
}

func (c *chores) start(f func()) { c.group.Go(f) }

func (c *chores) wait() { c.group.Wait() }

// begin notes that this node takes over from epoch. It returns false if it already does.
func (c *chores) begin(epoch string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead[epoch] {
		return false
	}
	if c.dead == nil {
		c.dead = make(map[string]bool)
	}
	c.dead[epoch] = true
	return true
}

func (c *chores) finish(epoch string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.dead, epoch)
}

// takeOverDead takes over from the dead nodes, without a delay of the next renewal.
func (db *DB) takeOverDead(ctx context.Context, m *membership) {
	for _, p := range db.observer.dead(db.Timing.Missed) {
		if !db.chores.begin(p.epoch) {
			continue
		}
		db.chores.start(func() {
			defer db.chores.finish(p.epoch)
			if err := db.fenceAndTakeOver(ctx, m, p); err != nil && ctx.Err() == nil {
				db.Log.Warn("this server can't take over from a dead one yet", "node", db.Name, "dead", p.name, "epoch", p.epoch, "err", explained(err))
			}
		})
	}
}

func (db *DB) fenceAndTakeOver(ctx context.Context, m *membership, p peer) error {
	if db.Fence != nil {
		if err := db.Fence(ctx, p.epoch, p.name, p.address); err != nil {
			return err
		}
	}
	works, ok, err := db.takeOver(ctx, m, p)
	if err != nil || !ok {
		return err
	}
	db.figures.takeovers.Add(1)
	db.Log.Warn("this server has taken over from a dead one", "node", db.Name, "dead", p.name, "epoch", p.epoch, "changes", works)
	signal(m.adopted)
	return nil
}

// takeOver makes the works of a dead node those of this one, and removes the row of its epoch.
// From then on, the dead node can commit nothing. ok is false if the node has renewed its lease
// since p was read, or if another one was faster.
func (db *DB) takeOver(ctx context.Context, m *membership, p peer) (works int64, ok bool, err error) {
	err = db.transact(ctx, m, change{rest: func(ctx context.Context, tx *Tx) error {
		// Brief claims of the dead node share this.
		tx.Queue("SELECT pg_advisory_xact_lock($1)", epochKey(p.epoch))
		rows, err := tx.Exec(ctx, "SELECT FROM nodes WHERE epoch = $1 AND beat = $2 FOR UPDATE", p.epoch, p.beat)
		if ok = rows > 0; err != nil || !ok {
			return err
		}
		works, err = tx.Exec(ctx, "UPDATE work SET epoch = $1, adopted = TRUE, version = 0 WHERE epoch = $2", m.epoch, p.epoch)
		tx.Queue("DELETE FROM nodes WHERE epoch = $1", p.epoch)
		return err
	}})
	return works, ok, err
}

// settleAll passes adopted works to settle until ctx ends.
func (db *DB) settleAll(ctx context.Context, m *membership, settle settler) {
	for {
		if err := db.adoptAbandoned(ctx, m); err != nil && ctx.Err() == nil {
			db.Log.Warn("this server can't adopt its own changes yet", "node", db.Name, "err", explained(err))
		}
		works, err := db.adopted(ctx, m)
		if len(works) > 0 && settle != nil {
			settle(ctx, works)
			works, err = db.adopted(ctx, m)
		}
		if err == nil && len(works) == 0 && !m.hasAbandoned() {
			select {
			case <-m.adopted:
				continue
			case <-ctx.Done():
				return
			}
		}
		if pause(ctx, db.Timing.Settle) != nil {
			return
		}
	}
}

// abandon notes a work of this node that it could not end.
func (m *membership) abandon(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.abandoned = append(m.abandoned, id)
	signal(m.adopted)
}

func (m *membership) hasAbandoned() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.abandoned) > 0
}

// adoptAbandoned makes the works that this node could not end adopted ones.
func (db *DB) adoptAbandoned(ctx context.Context, m *membership) error {
	m.mu.Lock()
	ids := slices.Clone(m.abandoned)
	m.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	_, err := db.exec(ctx, "UPDATE work SET adopted = TRUE WHERE id = ANY($1) AND epoch = $2", ids, m.epoch)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.abandoned = slices.DeleteFunc(m.abandoned, func(id string) bool { return slices.Contains(ids, id) })
	return nil
}

// adopted returns the adopted works of this node.
func (db *DB) adopted(ctx context.Context, m *membership) (works []cluster.Adopted, err error) {
	err = db.read(ctx, func(rows pgx.Rows) error {
		w := cluster.Adopted{}
		err := rows.Scan(&w.ID, &w.Record, &w.Operation)
		w.Settle = func(ctx context.Context, o cluster.Outcome, result *cluster.Result) error {
			return failed("settling a change", db.endWork(ctx, m, w.ID, o, result))
		}
		works = append(works, w)
		return err
	}, "SELECT id, record, coalesce(operation, '') FROM work WHERE epoch = $1 AND adopted ORDER BY seq", m.epoch)
	return works, err
}

// endWork removes a work of this node with its claims, and stores its outcome and the result of its
// operation. If the work is not this node's, it returns what came of it. It can be repeated.
func (db *DB) endWork(ctx context.Context, m *membership, id string, o cluster.Outcome, result *cluster.Result) error {
	var mine bool
	var err error
	if result == nil {
		mine, err = db.endWithoutResult(ctx, m, id, o)
	} else {
		mine, err = db.endWithResult(ctx, m, id, o, result)
	}
	if err == nil && !mine || errors.Is(err, cluster.ErrFenced) {
		return db.outcome(ctx, m, id)
	}
	return err
}

// endQuery ends a work and stores its outcome.
const endQuery = `WITH gone AS (DELETE FROM work WHERE id = $1 AND epoch = $2 RETURNING id)
	INSERT INTO commits (id, epoch, outcome) SELECT id, $2, $3 FROM gone`

// endWithoutResult needs one statement. mine is false if the work is not this node's, or no more.
func (db *DB) endWithoutResult(ctx context.Context, m *membership, id string, o cluster.Outcome) (mine bool, err error) {
	ctx, stop := m.during(ctx)
	defer stop()
	err = db.patiently(ctx, m, func() error {
		rows, err := db.exec(ctx, endQuery, id, m.epoch, string(o))
		mine = rows > 0
		return err
	})
	return mine, err
}

// endWithResult is endWithoutResult for the work of an operation.
func (db *DB) endWithResult(ctx context.Context, m *membership, id string, o cluster.Outcome, result *cluster.Result) (mine bool, err error) {
	err = db.transact(ctx, m, change{
		repeatable: true, patient: true,
		first: func(b *pgx.Batch) {
			mine = false // It may be another attempt.
			b.Queue("DELETE FROM work WHERE id = $1 AND epoch = $2", id, m.epoch).Exec(func(tag pgconn.CommandTag) error {
				mine = tag.RowsAffected() > 0
				return nil
			})
		},
		rest: func(_ context.Context, tx *Tx) error {
			if !mine {
				return nil
			}
			tx.Queue("INSERT INTO commits (id, epoch, outcome) VALUES ($1, $2, $3)", id, m.epoch, string(o))
			return tx.saveResult(result)
		},
	})
	return mine, err
}
