package tables

import (
	"context"
	"database/sql"
	"errors"
)

// Shares are the identities of the storages of shares.
type Shares struct{ db Database }

// NewShares returns those of a database.
func NewShares(db Database) Shares { return Shares{db} }

// ShareIdentity returns the identity that the storage of a share had when it was last used
// (storage.Identity), or "" if that is unknown.
func (s Shares) ShareIdentity(ctx context.Context, id string) (identity string, err error) {
	err = one(ctx, s.db.Reader(), []any{&identity}, "SELECT identity FROM shares WHERE id = $1", Text(id))
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return Untext(identity), s.db.Failed("reading the identity of the share "+id, err)
}

// SetShareIdentity notes the identity of the storage of a share.
func (s Shares) SetShareIdentity(ctx context.Context, id, identity string) error {
	err := s.db.Change(ctx, false, func(tx Tx) error {
		_, err := tx.Exec(ctx, SetIdentity, Text(id), Text(identity))
		return err
	})
	return s.db.Failed("writing the identity of the share "+id, err)
}

// SetIdentity is the statement that notes the identity of the storage of a share.
const SetIdentity = `INSERT INTO shares (id, identity) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET identity = excluded.identity`
