// Package sqlstate keeps what must outlive a restart in an SQL database: locks,
// dead properties, the journal of what is under way, and the history of what was.
//
// The database is one SQLite file. A [DB] is its only owner for as long as it is
// open; a lock beside it, which ends with the process, keeps other owners out.
// What a method has changed when it returns nil is on the disk.
//
// # Names
//
// A resource is stored under its name with a slash at the end. So the tree of a
// name is one range in the order of bytes, the root's too: "/a" is stored as
// "/a/", and its tree is all from "/a/" to before "/a0". A "%", and each byte
// that is no valid UTF-8 or NUL, is written as % and two hexadecimal digits.
//
// # Two kinds of database
//
// The statements are what SQLite and PostgreSQL both take, parameters included.
// Where the two differ is in a dialect.
package sqlstate

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/lock"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	writer *sql.DB // one connection
	reader *sql.DB
	owner  *owner

	// turn holds a token while something is being changed.
	turn chan struct{}
	// bare: there is no property at all. It is written in turn. That it can be
	// kept here is due to there being no other owner.
	bare atomic.Bool
	// over are records of the journal that could not be removed. It is used in
	// turn.
	over []string

	close func() error
}

var (
	_ lock.Store      = (*DB)(nil)
	_ deadprops.Store = (*DB)(nil)
	_ history.Store   = (*DB)(nil)
)

// Open opens the database dsn, the path of an SQLite file, and makes it if it is
// not there: the directory for its owner alone (0700), the file too (0600). A
// database that is in use, damaged, of a newer davd or of another program is
// refused, and left as it was to the last byte.
func Open(ctx context.Context, dsn string) (*DB, error) {
	path, err := locate(dsn)
	if err != nil {
		return nil, err
	}
	owner, err := own(path)
	if err != nil {
		return nil, err
	}
	db, err := open(ctx, path, migrations)
	if err != nil {
		return nil, errors.Join(err, owner.release())
	}
	db.owner = owner
	return db, nil
}

// open opens the database at path, which is owned.
func open(ctx context.Context, path string, migrations []migration) (*DB, error) {
	if err := provide(ctx, path, migrations); err != nil {
		return nil, err
	}
	writer, reader, err := connect(path)
	if err != nil {
		return nil, opening(path, err)
	}
	db := &DB{writer: writer, reader: reader, turn: make(chan struct{}, 1)}
	db.close = sync.OnceValue(db.shut)
	err = db.changeProperties(ctx, func(tx *sql.Tx) error { return migrate(ctx, tx, sqliteDialect, migrations) })
	if err != nil {
		return nil, errors.Join(opening(path, err), reader.Close(), writer.Close())
	}
	return db, nil
}

// Close waits for the change that is under way and closes the database. The
// second call does nothing.
func (db *DB) Close() error { return db.close() }

func (db *DB) shut() error {
	if err := db.enter(context.Background()); err != nil {
		return err
	}
	defer db.leave()
	// The last connection to close puts the log into the database.
	err := errors.Join(db.reader.Close(), db.writer.Close())
	return errors.Join(err, db.owner.release())
}

// change runs f in a transaction, when it is its turn. The transaction is
// committed if f succeeds, and ctx has not ended.
func (db *DB) change(ctx context.Context, f func(tx *sql.Tx) error) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	return transact(ctx, db.writer, f)
}

// enter waits for the turn to change something.
func (db *DB) enter(ctx context.Context) error {
	select {
	case db.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) leave() { <-db.turn }

// transact runs f in a transaction. ctx can't end it between f and the end of
// the commit: nobody could tell then whether it was made.
func transact(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	if err = f(tx); err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = tx.Rollback() // SQLite may have done it already.
		return err
	}
	return tx.Commit()
}
