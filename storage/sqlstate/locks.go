package sqlstate

import (
	"context"
	"database/sql"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/lock"
)

// LoadLocks implements [lock.Store].
func (db *DB) LoadLocks(ctx context.Context) (locks []lock.Lock, err error) {
	var owners int // the bytes of all owners loaded so far
	err = each(ctx, db.reader, func(rows tables.Rows) error {
		var (
			l                lock.Lock
			owner            []byte
			created, expires sql.NullInt64
		)
		if err := rows.Scan(&l.Token, &l.Root, &l.ZeroDepth, &l.Shared, &owner, &l.Principal, &created, &l.Duration, &expires); err != nil {
			return err
		}
		// In older databases owners have no limit. All locks are kept in memory, so a
		// lock with a long owner loses it if all owners together would take too much.
		if len(owner) > lock.DefaultMaxOwner && owners+len(owner) > lock.DefaultMaxOwners {
			owner = nil
		}
		owners += len(owner)
		l.Token, l.Root, l.OwnerXML, l.Principal = tables.Untext(l.Token), tables.Untext(l.Root), string(owner), tables.Untext(l.Principal)
		l.Created, l.Expires = tables.Instant(created), tables.Instant(expires)
		locks = append(locks, l)
		return nil
	}, `SELECT token, root, zero_depth, shared, owner, principal, created, duration, expires
		FROM locks ORDER BY seq`)
	return locks, failed("reading the locks", err)
}

// SaveLock implements [lock.Store].
func (db *DB) SaveLock(ctx context.Context, l lock.Lock) error {
	err := db.change(ctx, func(tx *sql.Tx) error {
		// seq stays, and with it the order.
		_, err := tx.ExecContext(ctx, `INSERT INTO locks
			(token, root, zero_depth, shared, owner, principal, created, duration, expires)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (token) DO UPDATE SET root = excluded.root,
				zero_depth = excluded.zero_depth, shared = excluded.shared, owner = excluded.owner,
				principal = excluded.principal, created = excluded.created,
				duration = excluded.duration, expires = excluded.expires`,
			tables.Text(l.Token), tables.Text(l.Root), l.ZeroDepth, l.Shared, []byte(l.OwnerXML), tables.Text(l.Principal),
			tables.Microseconds(l.Created), int64(l.Duration), tables.Microseconds(l.Expires))
		return err
	})
	return failed("saving a lock of "+l.Root, err)
}

// DeleteLocks implements [lock.Store].
func (db *DB) DeleteLocks(ctx context.Context, tokens ...string) error {
	if len(tokens) == 0 {
		return nil
	}
	err := db.changeBy(ctx, db.urgently, func(tx *sql.Tx) error { return deleteAll(ctx, tx, "locks WHERE token", tokens) })
	return failed("deleting locks", err)
}

// deleteAll deletes the rows where a column has one of values. where names the table
// and the column: "table WHERE column".
func deleteAll(ctx context.Context, tx *sql.Tx, where string, values []string) error {
	query := "DELETE FROM " + where + " IN (SELECT value FROM json_each($1))" //nolint:gosec // where is one of two constants
	_, err := tx.ExecContext(ctx, query, tables.Array(values, tables.Text))
	return err
}
