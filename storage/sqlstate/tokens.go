package sqlstate

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"time"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/tokens"
)

// Tokens returns the application passwords, which are the DB itself.
func (db *DB) Tokens() tokens.Store { return db }

var _ tokens.Store = (*DB)(nil)

// AllTokens implements [tokens.Store].
func (db *DB) AllTokens(ctx context.Context) (all []tokens.Token, err error) {
	err = each(ctx, db.reader, func(rows *sql.Rows) error {
		var (
			t                      tokens.Token
			hash                   []byte
			created, expires, used sql.NullInt64
		)
		if err := rows.Scan(&t.User, &t.Name, &hash, &t.ReadOnly, &created, &expires, &used); err != nil {
			return err
		}
		if copy(t.Hash[:], hash) != len(t.Hash) || len(hash) != len(t.Hash) {
			return fmt.Errorf("the hash of an application password has %d bytes", len(hash))
		}
		t.User, t.Name = tables.Untext(t.User), tables.Untext(t.Name)
		t.Created, t.Expires, t.Used = instant(created), instant(expires), instant(used)
		all = append(all, t)
		return nil
	}, "SELECT owner, name, hash, read_only, created, expires, used FROM tokens ORDER BY owner, name")
	return all, failed("reading the application passwords", err)
}

// AddToken implements [tokens.Store].
func (db *DB) AddToken(ctx context.Context, t tokens.Token) error {
	err := db.change(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO tokens (owner, name, hash, read_only, created, expires, used)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (owner, name) DO NOTHING`,
			tables.Text(t.User), tables.Text(t.Name), t.Hash[:], t.ReadOnly, microseconds(t.Created), microseconds(t.Expires), microseconds(t.Used))
		return unlessNone(result, err, fs.ErrExist)
	})
	return failed("saving an application password", err)
}

// DeleteToken implements [tokens.Store].
func (db *DB) DeleteToken(ctx context.Context, user, name string) error {
	err := db.changeBy(ctx, db.urgently, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM tokens WHERE owner = $1 AND name = $2", tables.Text(user), tables.Text(name))
		return unlessNone(result, err, fs.ErrNotExist)
	})
	return failed("deleting an application password", err)
}

// UseToken implements [tokens.Store].
func (db *DB) UseToken(ctx context.Context, user, name string, at time.Time) error {
	err := db.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE tokens SET used = $3 WHERE owner = $1 AND name = $2", tables.Text(user), tables.Text(name), microseconds(at))
		return err
	})
	return failed("saving the use of an application password", err)
}

// unlessNone returns the error of a statement, or none if the statement has changed no row.
func unlessNone(result sql.Result, err, none error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return none
}
