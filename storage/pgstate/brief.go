package pgstate

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/cluster"
)

// briefWork is the work of a brief claim.
type briefWork struct {
	scopes    []folded
	in        area
	operation *cluster.Operation
}

// claimBriefly makes a claim that consists of a transaction, which has the latch. One round trip
// orders it among overlapping claims, and reads what most requests need. A late claim does that with
// the first statement of the request.
func (db *DB) claimBriefly(ctx context.Context, m *membership, id string, scopes []folded, w cluster.Work) (*claim, error) {
	l := &look{of: m, in: areaOf(scopes), known: knowing(w.Scopes)}
	var running string
	o := beginning{first: func(b *pgx.Batch) {
		running = "" // It may be another attempt.
		keys, exclusive := m.latchKeys(scopes)
		b.Queue(latchQuery, keys, exclusive)
		db.queueRunning(b, w.Operation, &running)
		l.queue(b, db)
	}, check: func(ctx context.Context, t *transaction) error {
		if running != "" {
			return &cluster.RunningError{ID: running}
		}
		return l.check(ctx, t)
	}}
	c := &claim{db: db, of: m, id: id, work: &briefWork{scopes, l.in, w.Operation}}
	if w.Late && w.Operation == nil {
		o.patience, o.scopes, o.named = db.Timing.Claim, scopes, w.Scopes
		c.transaction = &transaction{db: db, of: m, beginning: &o}
		return m.hold(c), nil
	}
	t, err := db.open(ctx, m, o)
	if err != nil {
		return nil, err
	}
	c.transaction = t
	return m.hold(c), nil
}

// Transaction implements [cluster.Claim], like the method below.
func (c *claim) Transaction(ctx context.Context) (context.Context, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transaction == nil {
		t, err := c.open(ctx)
		if err != nil {
			return nil, failed("beginning the transaction of a claim", err)
		}
		c.transaction = t
	}
	return c.transaction.within(ctx), nil
}

// open begins the transaction of a claim that is not brief. Its work can't be taken over before the
// transaction ends.
func (c *claim) open(ctx context.Context) (*transaction, error) {
	member, mine := false, false
	return c.db.open(ctx, c.of, beginning{first: func(b *pgx.Batch) {
		member, mine = false, false // It may be another attempt.
		c.of.queueExists(b, true, &member)
		b.Queue("SELECT FROM work WHERE id = $1 AND epoch = $2 FOR UPDATE", c.id, c.of.epoch).Query(func(rows pgx.Rows) error {
			mine = rows.Next()
			return rows.Err()
		})
	}, check: func(context.Context, *transaction) error {
		if err := c.of.confirm(member); err != nil {
			return err
		}
		if !mine {
			return cluster.ErrFenced
		}
		return nil
	}})
}

func (c *claim) Undo(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.transaction != nil && !c.unknown {
		c.transaction.undo(ctx, c.work != nil)
	}
}

// endBrief ends a brief claim.
func (c *claim) endBrief(ctx context.Context, result *cluster.Result) error {
	if c.transaction.over() && !c.unknown { // It was undone, so only the result is left.
		if result == nil {
			return nil
		}
		return c.db.transact(ctx, c.of, change{repeatable: true, patient: true, rest: func(_ context.Context, tx *Tx) error {
			return tx.queueEnded(c, result)
		}})
	}
	return c.settle(func() error {
		return c.transaction.commit(ctx, func(tx *Tx, wrote bool) error {
			if wrote && c.transaction.kept {
				tx.queueForget(c.work.in)
			}
			if err := tx.queueEnded(c, result); err != nil {
				return err
			}
			if wrote || len(tx.queued) > 0 {
				tx.Queue("INSERT INTO commits (id, epoch) VALUES ($1, $2)", c.id, c.of.epoch)
			}
			return nil
		})
	}, func() (bool, error) {
		if g := c.transaction.gathered; g != nil {
			return g.outcome(ctx, c.db)
		}
		return c.db.committed(ctx, c.of, c.id)
	})
}

// queueEnded adds the operation of a brief claim, which has ended.
func (tx *Tx) queueEnded(c *claim, result *cluster.Result) error {
	if result == nil {
		return nil
	}
	var names []string
	for _, s := range c.work.scopes {
		names = append(names, s.name)
	}
	if err := tx.queueOperation(c.of, names, c.work.operation); err != nil {
		return err
	}
	return tx.saveResult(result)
}

// settle commits the transaction, and finds out what came of it if the answer is lost.
func (c *claim) settle(commit func() error, committed func() (bool, error)) error {
	if !c.unknown {
		err := commit()
		if !errors.Is(err, errUnknown) {
			return err
		}
		c.unknown = true
	}
	made, err := committed()
	if err != nil {
		return err
	}
	c.unknown = false
	if !made {
		return cluster.ErrUndone
	}
	return nil
}

// endTransaction ends a claim whose change was made in a transaction. If that was undone, the claim
// remains.
func (c *claim) endTransaction(ctx context.Context, result *cluster.Result) error {
	if c.transaction.over() && !c.unknown {
		return c.db.endWork(ctx, c.of, c.id, cluster.Finished, result)
	}
	return c.settle(func() error {
		return c.transaction.commit(ctx, func(tx *Tx, _ bool) error {
			tx.Queue(endQuery, c.id, c.of.epoch, string(cluster.Finished))
			return tx.saveResult(result)
		})
	}, func() (bool, error) { return c.ended(ctx) })
}

// ended finds out whether the transaction that ends the work, and whose COMMIT got no answer, was
// committed. If it still runs, the row is locked until its end.
func (c *claim) ended(ctx context.Context) (bool, error) {
	exists := false
	err := c.db.patiently(ctx, c.of, func() error {
		return c.db.readOnce(ctx, func(pgx.Rows) error {
			exists = true
			return nil
		}, "SELECT FROM work WHERE id = $1 AND epoch = $2 FOR UPDATE", c.id, c.of.epoch)
	})
	if err != nil || exists {
		return false, err
	}
	err = c.db.outcome(ctx, c.of, c.id)
	return err == nil, err
}
