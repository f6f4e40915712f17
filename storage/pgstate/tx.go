package pgstate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/davd/davd/storage/internal/tables"
)

// Tx is a transaction, or a part of the one of a claim.
type Tx struct {
	db   *DB
	conn *pgxpool.Conn
	part *transaction // instead of conn
	// queued are sent together with the next statement whose result is needed, at the latest with
	// the COMMIT.
	queued []*pgx.QueuedQuery
	wrote  bool // It may have changed something.
}

// begin begins the transaction and makes sure that the membership exists, with hold until its end. All
// statements are sent together.
func (tx *Tx) begin(ctx context.Context, m *membership, hold bool, first func(b *pgx.Batch)) error {
	var b pgx.Batch
	tx.db.queueBegin(&b)
	member := false
	m.queueExists(&b, hold, &member)
	if first != nil {
		first(&b)
	}
	err := tx.send(ctx, "BEGIN", &b)
	if err != nil {
		return err
	}
	return m.confirm(member)
}

// queueExists adds the query whether the membership exists, with hold until the end of the transaction.
func (m *membership) queueExists(b *pgx.Batch, hold bool, exists *bool) {
	query := "SELECT TRUE FROM nodes WHERE epoch = $1"
	if hold {
		query += " FOR KEY SHARE"
	}
	b.Queue(query, m.epoch).Query(func(rows pgx.Rows) error {
		*exists = rows.Next()
		return rows.Err()
	})
}

// queueBegin adds the statements that begin a transaction. A session behind a pooler forgets settings.
func (db *DB) queueBegin(b *pgx.Batch) {
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	if db.direct {
		return
	}
	b.Queue("SELECT set_config('lock_timeout', $1, TRUE), set_config('idle_in_transaction_session_timeout', $2, TRUE)",
		milliseconds(db.Timing.LockWait), milliseconds(db.Timing.Idle))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// Queue adds a statement that is sent together with the next one whose result is needed, at the
// latest with the COMMIT.
func (tx *Tx) Queue(query string, args ...any) *pgx.QueuedQuery {
	tx.wrote = tx.wrote || writes(query)
	q := &pgx.QueuedQuery{SQL: query, Arguments: args}
	tx.queued = append(tx.queued, q)
	return q
}

// Later is Queue for tables.Later.
func (tx *Tx) Later(query string, args ...any) { tx.Queue(query, args...) }

// writes reports whether a statement may change something. A statement that only locks rows doesn't.
func writes(query string) bool {
	updates := strings.Count(query, "UPDATE") - strings.Count(query, "FOR UPDATE") - strings.Count(query, "FOR NO KEY UPDATE")
	return updates > 0 || strings.Contains(query, "INSERT") || strings.Contains(query, "DELETE")
}

// flush sends what is queued.
func (tx *Tx) flush(ctx context.Context, what string) error {
	queued := tx.queued
	tx.queued = nil
	if tx.part != nil {
		return tx.part.send(ctx, what, queued)
	}
	return tx.send(ctx, what, &pgx.Batch{QueuedQueries: queued})
}

// send sends statements in one round trip.
func (tx *Tx) send(ctx context.Context, what string, b *pgx.Batch) error {
	return tx.db.trip(ctx, what, func(ctx context.Context) error { return tx.conn.SendBatch(ctx, b).Close() })
}

// Exec returns how many rows the statement has changed or found.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (rows int64, err error) {
	tx.Queue(query, args...).Exec(func(tag pgconn.CommandTag) error {
		rows = tag.RowsAffected()
		return nil
	})
	return rows, tx.flush(ctx, query)
}

// Query implements tables.Tx. It reads all rows.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (tables.Rows, error) {
	r := &kept{types: tx.db.types}
	tx.Queue(query, args...).Query(r.keep)
	if err := tx.flush(ctx, query); err != nil {
		return nil, err
	}
	return r, nil
}

// commit ends the transaction. ctx can't interrupt it, because then nobody would know whether it
// was made.
func (tx *Tx) commit(ctx context.Context) error {
	rolledBack := false
	tx.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		rolledBack = tag.String() != "COMMIT"
		return nil
	})
	err := tx.flush(context.WithoutCancel(ctx), "COMMIT")
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
