package sqlstate

import (
	"context"
	"database/sql"
	"errors"

	"github.com/davd/davd/storage/internal/tables"
)

// ShareIdentity returns the identity that the storage of a share had when it was last used
// (storage.Identity), or "" if that is unknown.
func (db *DB) ShareIdentity(ctx context.Context, id string) (identity string, err error) {
	err = db.reader.QueryRowContext(ctx, "SELECT identity FROM shares WHERE id = $1", tables.Text(id)).Scan(&identity)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return tables.Untext(identity), failed("reading the identity of the share "+id, err)
}

// SetShareIdentity notes the identity of the storage of a share.
func (db *DB) SetShareIdentity(ctx context.Context, id, identity string) error {
	err := db.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO shares (id, identity) VALUES ($1, $2)
			ON CONFLICT (id) DO UPDATE SET identity = excluded.identity`, tables.Text(id), tables.Text(identity))
		return err
	})
	return failed("writing the identity of the share "+id, err)
}
