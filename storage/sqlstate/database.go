package sqlstate

import (
	"context"
	"database/sql"

	sqlite3 "modernc.org/sqlite/lib"

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

// Base returns the database for the names of files.
func (db *DB) Base() tables.Base { return database{db, tables.SQL{Standard: db.reader}} }

// PostgreSQL returns false.
func (database) PostgreSQL() bool { return false }

// Epoch returns the epoch of this process, which lasts until the database is closed.
func (d database) Epoch() string { return d.epoch }

// Provide implements tables.Base.
func (d database) Provide(ctx context.Context, query string, args ...any) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		// No other process uses the database, so all other epochs are over.
		if _, err := tx.ExecContext(ctx, "DELETE FROM nodes WHERE epoch <> $1", d.epoch); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO nodes (epoch) VALUES ($1) ON CONFLICT DO NOTHING", d.epoch); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// InTransaction returns false: a context never has a transaction.
func (database) InTransaction(context.Context) bool { return false }

// Raced implements tables.Base.
func (database) Raced(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}
