package pgstate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/cluster"
)

// settler is the function that finishes or undoes works.
type settler = func(ctx context.Context, works []cluster.Adopted)

// Run implements [cluster.Node].
func (n *node) Run(ctx context.Context, settle func(ctx context.Context, works []cluster.Adopted)) error {
	db := n.db()
	for {
		m, err := db.join(ctx)
		if err == nil {
			err = db.live(ctx, m, settle)
		}
		switch {
		case ctx.Err() != nil, db.hasLeft():
			return nil //nolint:nilerr // the caller wanted it to end
		case !errors.Is(err, cluster.ErrFenced):
			return failed("joining the cluster", err)
		}
		db.figures.lost.Add(1)
		db.Log.Warn("this server was declared dead by another one: its changes are stopped", "node", db.Name, "epoch", m.epoch)
		m.end(cluster.ErrFenced)
		if m.wait(ctx) != nil {
			return nil //nolint:nilerr // ctx has ended, as the caller wanted
		}
	}
}

func (db *DB) hasLeft() bool {
	select {
	case <-db.left:
		return true
	default:
		return false
	}
}

// join makes this process a node with a new epoch. It waits until the database can be reached.
func (db *DB) join(ctx context.Context) (*membership, error) {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, db.Timing.Renew) {
		m, err := db.joinOnce(ctx)
		if err == nil || !retryable(err) || ctx.Err() != nil {
			return m, err
		}
		db.Log.Warn("this server can't join the others yet", "node", db.Name, "err", explained(err))
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (db *DB) joinOnce(ctx context.Context) (*membership, error) {
	epoch, began := newID(), uptime()
	predecessor, err := db.file.replace(epoch)
	if err != nil {
		return nil, err
	}
	// The row exists only once, because nothing else can know its epoch.
	err = db.beat(ctx, "INSERT INTO nodes (epoch, name, address, beat) VALUES ($1, $2, $3, 0)", epoch, db.Name, db.Address)
	if err != nil {
		return nil, err
	}
	m := newMembership(epoch, began)
	db.member.Store(m)
	db.Log.Info("this server has joined the others", "node", db.Name, "epoch", epoch)
	if predecessor != "" {
		db.observer.expect(predecessor)
	}
	return m, nil
}

// live renews the lease until ctx ends, the node leaves, or the membership is lost.
func (db *DB) live(ctx context.Context, m *membership, settle settler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer db.chores.wait()
	defer cancel()
	db.chores.start(func() { db.settleAll(ctx, m, settle) })
	db.chores.start(func() { db.keepHouse(ctx, m) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-db.left:
			return context.Canceled
		case <-m.lost:
			return cluster.ErrFenced
		case <-timer.C:
		}
		switch err := db.renew(ctx, m); {
		case errors.Is(err, cluster.ErrFenced):
			return err
		case err != nil:
			db.observer.interrupt()
			if !failing && ctx.Err() == nil {
				db.Log.Warn("this server can't renew its lease", "node", db.Name, "err", explained(err))
			}
			failing = true
			timer.Reset(db.Timing.Renew / 3)
		default:
			if failing {
				db.Log.Info("this server has renewed its lease again", "node", db.Name)
			}
			failing = false
			timer.Reset(db.Timing.Renew)
			db.takeOverDead(ctx, m)
		}
	}
}

// renew renews the lease, and looks at those of the other nodes.
func (db *DB) renew(ctx context.Context, m *membership) error {
	ctx, cancel := context.WithTimeout(ctx, db.Timing.RenewTimeout)
	defer cancel()
	began, sent := uptime(), time.Now()
	var b pgx.Batch
	renewed := false
	b.Queue("SELECT clock_timestamp()").QueryRow(func(row pgx.Row) error {
		var at time.Time
		err := row.Scan(&at)
		db.server.sample(sent, time.Now(), at)
		return err
	})
	b.Queue("UPDATE nodes SET beat = beat + 1 WHERE epoch = $1 RETURNING TRUE", m.epoch).Query(func(rows pgx.Rows) error {
		renewed = rows.Next()
		return rows.Err()
	})
	var others []peer
	b.Queue("SELECT epoch, name, address, beat FROM nodes WHERE epoch <> $1", m.epoch).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var p peer
			if err := rows.Scan(&p.epoch, &p.name, &p.address, &p.beat); err != nil {
				return err
			}
			others = append(others, p)
		}
		return rows.Err()
	})
	err := db.beats.SendBatch(ctx, &b).Close()
	if err != nil {
		return db.counted(err)
	}
	if !renewed {
		return cluster.ErrFenced
	}
	m.renewed.Store(int64(began))
	db.observer.observe(others)
	return nil
}

// beat runs a statement on a connection that no request uses.
func (db *DB) beat(ctx context.Context, query string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, db.Timing.Statement)
	defer cancel()
	_, err := db.beats.Exec(ctx, query, args...)
	return db.counted(err)
}

// Leave implements [cluster.Node].
func (n *node) Leave(ctx context.Context) error {
	db := n.db()
	db.leave.Do(func() { close(db.left) })
	m := db.member.Swap(nil)
	if m == nil {
		return nil
	}
	m.end(fmt.Errorf("%w: it has left", cluster.ErrFenced))
	if err := m.wait(ctx); err != nil {
		return failed("leaving the cluster", err)
	}
	if err := db.flushStrays(); err != nil {
		return failed("leaving the cluster", err)
	}
	// The row stays if a work could not be settled. Then another node takes over.
	err := db.beat(ctx, `DELETE FROM nodes WHERE epoch = $1 AND NOT EXISTS (SELECT FROM work WHERE work.epoch = $1)`, m.epoch)
	return failed("leaving the cluster", err)
}
