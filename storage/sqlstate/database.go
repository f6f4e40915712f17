package sqlstate

import (
	"context"
	"database/sql"

	"github.com/davd/davd/storage/internal/tables"
)

// The methods of these types are methods of a DB.
type (
	properties = tables.Properties
	operations = tables.Operations
	passwords  = tables.Tokens
	uploading  = tables.Uploads
	shares     = tables.Shares
)

// database is a DB as the shared tables use it.
type database struct {
	*DB
	reads tables.Queryer
}

// keep makes the tables available as methods of db.
func (db *DB) keep() {
	d := database{db, tables.SQL{Standard: db.reader}}
	dialect := tables.SQLite()
	db.properties = tables.NewProperties(d, dialect)
	db.operations = tables.NewOperations(d)
	db.passwords = tables.NewTokens(d, dialect)
	db.uploading = tables.NewUploads(d)
	db.shares = tables.NewShares(d)
}

// Reader implements tables.Database.
func (d database) Reader() tables.Queryer { return d.reads }

// Change implements tables.Database.
func (d database) Change(ctx context.Context, urgent bool, f func(tx tables.Tx) error) error {
	return d.changeBy(ctx, d.changer(urgent), func(tx *sql.Tx) error { return f(tables.SQL{Standard: tx}) })
}

// ChangeProperties implements tables.Database.
func (d database) ChangeProperties(ctx context.Context, c tables.PropertyChange) error {
	return d.changeProperties(ctx, d.changer(c.Urgent), func(tx *sql.Tx) (left bool, err error) {
		return c.Make(tables.SQL{Standard: tx})
	})
}

// changer returns what runs a transaction.
func (db *DB) changer(urgent bool) changer {
	if urgent {
		return db.urgently
	}
	return db.transact
}

// Bare implements tables.Database.
func (d database) Bare() bool { return d.bare.Load() }

// Failed implements tables.Database.
func (database) Failed(doing string, err error) error { return failed(doing, err) }
