package pgstate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/davd/davd/storage"
)

// attempts is how often a transaction is tried.
const attempts = 3

// A change is a transaction that only a member of the cluster can make.
type change struct {
	// first adds statements that are sent together with the begin of the transaction.
	first func(b *pgx.Batch)
	// rest runs after them.
	rest func(ctx context.Context, tx *Tx) error
	// repeatable says that rest notices if the transaction was already committed. Then it needs
	// no row in commits.
	repeatable bool
	// whole says that the caller finds out itself what came of a COMMIT without an answer.
	whole bool
	// fenced says that a statement of rest, which inserts a work, holds the row of the epoch.
	fenced bool
	// patient says that the change is tried as long as this node has its lease.
	patient bool
}

// errUnknown says that the answer to a COMMIT was lost.
var errUnknown = fmt.Errorf("%w: the database has not confirmed the change", storage.ErrUnavailable)

// transact makes a change under the membership m, or as a part of the transaction of ctx.
func (db *DB) transact(ctx context.Context, m *membership, c change) error {
	switch t, err := db.joined(ctx, true); {
	case err != nil:
		return err
	case t != nil:
		return t.change(ctx, c)
	}
	ctx, stop := m.during(ctx)
	defer stop()
	id := newID()
	for attempt := 1; ; attempt++ {
		err := db.attempt(ctx, m, c, id)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errUnknown) && c.whole:
			return err
		case errors.Is(err, errUnknown) && !c.repeatable:
			committed, err := db.committed(ctx, m, id)
			if committed || err != nil {
				return err
			}
			id = newID()
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !errors.Is(err, errUnknown) && !retryable(err):
			return err
		}
		if attempt >= attempts && (!c.patient || db.usable(m) != nil) {
			return err
		}
		if err := pause(ctx, min(20*time.Millisecond<<min(attempt, 6), time.Second)); err != nil {
			return err
		}
	}
}

// attempt makes a change once.
func (db *DB) attempt(ctx context.Context, m *membership, c change, id string) error {
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx := &Tx{conn: conn, db: db}
	if err = tx.begin(ctx, m, !c.fenced, c.first); err == nil && c.rest != nil {
		err = c.rest(ctx, tx)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		tx.rollback(ctx)
		return db.counted(err)
	}
	if !c.repeatable && !c.whole {
		tx.Queue("INSERT INTO commits (id, epoch) VALUES ($1, $2)", id, m.epoch)
	}
	return db.counted(tx.commit(ctx))
}

// acquire takes a connection from the pool.
func (db *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, db.Timing.Statement)
	defer cancel()
	conn, err := db.pool.Acquire(limited)
	return conn, db.counted(err)
}

// trip makes a round trip, which may take Timing.Statement.
func (db *DB) trip(ctx context.Context, what string, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, db.Timing.Statement)
	defer cancel()
	db.figures.trips.Add(1)
	if db.hook != nil {
		db.hook(ctx, what, false)
		defer db.hook(ctx, what, true)
	}
	return do(ctx)
}

// committed finds out whether the transaction id, whose COMMIT got no answer, was committed. It
// commits the same id itself. If the first one still runs, that waits for its end. If it succeeds,
// the first one has not been committed, and never will be. It returns errUnknown if the database
// doesn't answer.
func (db *DB) committed(ctx context.Context, m *membership, id string) (bool, error) {
	return db.committedAs(ctx, m, id, "INSERT INTO commits (id, epoch) VALUES ($1, $2)")
}

// committedAs is committed for a transaction that has inserted the id by another statement.
func (db *DB) committedAs(ctx context.Context, m *membership, id, insert string) (bool, error) {
	ctx = context.WithoutCancel(ctx)
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		_, err := db.exec(ctx, insert, id, m.epoch)
		switch {
		case err == nil:
			return false, nil
		case duplicate(err):
			return true, nil
		case !retryable(err):
			return false, err
		case db.usable(m) != nil:
			return false, fmt.Errorf("%w: %s", errUnknown, short(err))
		}
		if err := pause(ctx, wait); err != nil {
			return false, err
		}
	}
}

// exec runs one statement, which is a transaction. It must be repeatable.
func (db *DB) exec(ctx context.Context, query string, args ...any) (rows int64, err error) {
	if t, err := db.joined(ctx, writes(query)); err != nil {
		return 0, err
	} else if t != nil {
		err = t.change(ctx, change{rest: func(ctx context.Context, tx *Tx) (err error) {
			rows, err = tx.Exec(ctx, query, args...)
			return err
		}})
		return rows, err
	}
	conn, err := db.acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	err = db.trip(ctx, query, func(ctx context.Context) error {
		tag, err := conn.Exec(ctx, query, args...)
		rows = tag.RowsAffected()
		return err
	})
	return rows, db.counted(err)
}

// read runs a query and calls row for each row. It is tried again if the connection was broken
// before the first row.
func (db *DB) read(ctx context.Context, row func(rows pgx.Rows) error, query string, args ...any) error {
	for attempt := 1; ; attempt++ {
		began := false
		err := db.readOnce(ctx, func(rows pgx.Rows) error {
			began = true
			return row(rows)
		}, query, args...)
		if err == nil || began || !retryable(err) || ctx.Err() != nil || attempt >= attempts || db.away() {
			return err
		}
	}
}

// away reports whether the database has not answered for so long that it makes no sense to ask
// again at once.
func (db *DB) away() bool {
	m := db.member.Load()
	return m != nil && db.usable(m) != nil
}

// readOnce is read without another try.
func (db *DB) readOnce(ctx context.Context, row func(rows pgx.Rows) error, query string, args ...any) error {
	each := func(rows pgx.Rows) error {
		for rows.Next() {
			if err := row(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	if t, err := db.joined(ctx, writes(query)); err != nil {
		return err
	} else if t != nil {
		return t.change(ctx, change{rest: func(_ context.Context, tx *Tx) error {
			tx.Queue(query, args...).Query(each)
			return nil
		}})
	}
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = db.trip(ctx, query, func(ctx context.Context) error {
		rows, err := conn.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return each(rows)
	})
	return db.counted(err)
}

// counted counts err if it is the database's.
func (db *DB) counted(err error) error {
	if _, ok := errors.AsType[*pgconn.PgError](err); ok || broken(err) {
		db.figures.errors.Add(1)
	}
	return err
}

// duplicate reports whether err says that a row with this key exists.
func duplicate(err error) bool { return hasCode(err, "23505") }

func hasCode(err error, code string) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	return ok && server.Code == code
}

// patiently calls do until it succeeds, fails for good, or this node loses its lease. do must be
// repeatable.
func (db *DB) patiently(ctx context.Context, m *membership, do func() error) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := do()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !retryable(err), db.usable(m) != nil:
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// newID returns a random identifier.
func newID() string { return strings.ToLower(rand.Text()) }

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
