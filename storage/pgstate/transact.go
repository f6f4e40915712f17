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
	"github.com/davd/davd/storage/cluster"
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
	// patient says that the change is tried as long as this node has its lease.
	patient bool
}

// Tx is a transaction.
type Tx struct {
	conn *pgxpool.Conn
	db   *DB
	last pgx.Batch // sent together with the COMMIT
}

// errUnknown says that the answer to a COMMIT was lost.
var errUnknown = fmt.Errorf("%w: the database has not confirmed the change", storage.ErrUnavailable)

// transact makes a change under the membership m.
func (db *DB) transact(ctx context.Context, m *membership, c change) error {
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
	if err = tx.begin(ctx, m, c.first); err == nil && c.rest != nil {
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

// begin begins the transaction and makes sure that the membership exists until it ends. All
// statements are sent together.
func (tx *Tx) begin(ctx context.Context, m *membership, first func(b *pgx.Batch)) error {
	var b pgx.Batch
	tx.db.queueBegin(&b)
	member := false
	b.Queue("SELECT TRUE FROM nodes WHERE epoch = $1 FOR KEY SHARE", m.epoch).Query(func(rows pgx.Rows) error {
		member = rows.Next()
		return rows.Err()
	})
	if first != nil {
		first(&b)
	}
	err := tx.send(ctx, "BEGIN", &b)
	if err == nil && !member {
		m.lose()
		return cluster.ErrFenced
	}
	return err
}

// queueBegin adds the statements that begin a transaction.
func (db *DB) queueBegin(b *pgx.Batch) {
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	b.Queue("SELECT set_config('lock_timeout', $1, TRUE), set_config('idle_in_transaction_session_timeout', $2, TRUE)",
		milliseconds(db.Timing.LockWait), milliseconds(db.Timing.Idle))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// send sends statements in one round trip.
func (tx *Tx) send(ctx context.Context, what string, b *pgx.Batch) error {
	return tx.db.trip(ctx, what, func(ctx context.Context) error { return tx.conn.SendBatch(ctx, b).Close() })
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

// Queue adds a statement that is sent together with the COMMIT.
func (tx *Tx) Queue(query string, args ...any) *pgx.QueuedQuery { return tx.last.Queue(query, args...) }

// commit ends the transaction. ctx can't interrupt it, because then nobody would know whether it
// was made.
func (tx *Tx) commit(ctx context.Context) error {
	rolledBack := false
	tx.last.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		rolledBack = tag.String() != "COMMIT"
		return nil
	})
	err := tx.send(context.WithoutCancel(ctx), "COMMIT", &tx.last)
	switch {
	case err != nil && unreachable(err):
		return fmt.Errorf("%w: %s", errUnknown, short(err))
	case err != nil:
		tx.rollback(ctx)
	case rolledBack:
		return errors.New("the database has undone the transaction")
	}
	return err
}

// rollback undoes the transaction. If that fails, the pool closes the connection, which has the
// same effect.
func (tx *Tx) rollback(ctx context.Context) {
	if conn := tx.conn.Conn(); conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return
	}
	_ = tx.db.trip(context.WithoutCancel(ctx), "ROLLBACK", func(ctx context.Context) error {
		_, err := tx.conn.Exec(ctx, "ROLLBACK")
		return err
	})
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
		for rows.Next() {
			if err := row(rows); err != nil {
				return err
			}
		}
		return rows.Err()
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

// Exec returns how many rows the statement has changed or found.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (rows int64, err error) {
	err = tx.db.trip(ctx, query, func(ctx context.Context) error {
		tag, err := tx.conn.Exec(ctx, query, args...)
		rows = tag.RowsAffected()
		return err
	})
	return rows, err
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
