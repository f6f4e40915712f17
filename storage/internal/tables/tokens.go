package tables

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"time"

	"github.com/davd/davd/storage/tokens"
)

// Tokens are the application passwords.
type Tokens struct {
	db               Database
	add, remove, use string // statements
}

var _ tokens.Store = (*Tokens)(nil)

// NewTokens returns those of a database.
func NewTokens(db Database, d Dialect) *Tokens {
	these := " WHERE " + d.is("owner", "$1") + " AND " + d.is("name", "$2")
	return &Tokens{
		db: db,
		add: `INSERT INTO tokens (owner, name, hash, read_only, created, expires, used)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (` + d.key("owner, name") + `) DO NOTHING`,
		remove: "DELETE FROM tokens" + these,
		use:    "UPDATE tokens SET used = $3" + these,
	}
}

// AllTokens implements [tokens.Store].
func (s *Tokens) AllTokens(ctx context.Context) (all []tokens.Token, err error) {
	err = Each(ctx, s.db.Reader(), func(rows Rows) error {
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
		t.User, t.Name = Untext(t.User), Untext(t.Name)
		t.Created, t.Expires, t.Used = Instant(created), Instant(expires), Instant(used)
		all = append(all, t)
		return nil
	}, "SELECT owner, name, hash, read_only, created, expires, used FROM tokens ORDER BY owner, name")
	return all, s.db.Failed("reading the application passwords", err)
}

// AddToken implements [tokens.Store].
func (s *Tokens) AddToken(ctx context.Context, t tokens.Token) error {
	err := s.db.Change(ctx, false, func(tx Tx) error {
		n, err := tx.Exec(ctx, s.add, Text(t.User), Text(t.Name), t.Hash[:], t.ReadOnly, Microseconds(t.Created), Microseconds(t.Expires), Microseconds(t.Used))
		return unlessNone(n, err, fs.ErrExist)
	})
	return s.db.Failed("saving an application password", err)
}

// DeleteToken implements [tokens.Store].
func (s *Tokens) DeleteToken(ctx context.Context, user, name string) error {
	err := s.db.Change(ctx, true, func(tx Tx) error {
		n, err := tx.Exec(ctx, s.remove, Text(user), Text(name))
		return unlessNone(n, err, fs.ErrNotExist)
	})
	return s.db.Failed("deleting an application password", err)
}

// UseToken implements [tokens.Store].
func (s *Tokens) UseToken(ctx context.Context, user, name string, at time.Time) error {
	err := s.db.Change(ctx, false, func(tx Tx) error {
		_, err := tx.Exec(ctx, s.use, Text(user), Text(name), Microseconds(at))
		return err
	})
	return s.db.Failed("saving the use of an application password", err)
}

// unlessNone returns the error of a statement that has changed n rows, or none if n is 0.
func unlessNone(n int64, err, none error) error {
	if err != nil || n > 0 {
		return err
	}
	return none
}
