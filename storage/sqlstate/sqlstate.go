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
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/lock"
)

// Options are what an open database may be told. The zero value is useful.
type Options struct {
	// Log gets a message when the disk is full and the reserve is used, and when the
	// database is removed while it is open. A nil Log gets none.
	Log *slog.Logger
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	path   string
	log    *slog.Logger
	writer *sql.DB // one connection
	reader *sql.DB
	// pin is a connection of reader that stays open, so that SQLite does not take
	// another one for the last, and removes the log.
	pin   *sql.Conn
	owner *owner

	// turn holds a token while something is being changed.
	turn chan struct{}
	// bare: there is no property at all. It is written in turn. That it can be
	// kept here is due to there being no other owner.
	bare atomic.Bool
	// over are records of the journal that could not be removed. It is used in
	// turn.
	over []string
	// reserve, files and closed are used in turn.
	reserve *reserve
	files   files
	closed  bool
	tidier  *time.Timer

	close func() error
}

var (
	_ lock.Store        = (*DB)(nil)
	_ deadprops.Store   = (*DB)(nil)
	_ deadprops.Securer = (*DB)(nil)
	_ history.Store     = (*DB)(nil)
)

// Open opens the database dsn, the path of an SQLite file, and makes it if it is
// not there: the directory for its owner alone (0700), the file too (0600). A
// database that is in use, damaged, of a newer davd or of another program is
// refused, and left as it was to the last byte.
//
// A file beside it holds room in reserve, so that a DELETE works on a full disk.
func Open(ctx context.Context, dsn string) (*DB, error) { return Options{}.Open(ctx, dsn) }

// Open is the function [Open] with options.
func (o Options) Open(ctx context.Context, dsn string) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	path, err := locate(dsn)
	if err != nil {
		return nil, err
	}
	owner, err := own(path)
	if err != nil {
		return nil, err
	}
	db, err := open(ctx, path, migrations, o.Log)
	if storage.NoSpace(err) && yieldReserve(path+reserveSuffix) {
		o.Log.Warn("the disk of the state is full: davd uses the room that it holds in reserve", "database", path)
		db, err = open(ctx, path, migrations, o.Log)
	}
	if err != nil {
		return nil, errors.Join(err, owner.release())
	}
	db.owner = owner
	return db, nil
}

// open opens the database at path, which is owned.
func open(ctx context.Context, path string, migrations []migration, log *slog.Logger) (*DB, error) {
	if err := provide(ctx, path, migrations); err != nil {
		return nil, err
	}
	db := &DB{path: path, log: log, reserve: &reserve{}, turn: make(chan struct{}, 1)}
	if err := db.connect(); err != nil {
		return nil, opening(path, err)
	}
	db.close = sync.OnceValue(db.shut)
	db.tidier = time.AfterFunc(quiet, db.tidy)
	db.tidier.Stop()
	if err := db.start(ctx, migrations); err != nil {
		return nil, errors.Join(opening(path, err), db.disconnect())
	}
	return db, nil
}

// start brings the tables to the newest version and looks at the files.
func (db *DB) start(ctx context.Context, migrations []migration) (err error) {
	if db.pin, err = db.reader.Conn(ctx); err != nil {
		return err
	}
	db.turn <- struct{}{}
	defer func() { <-db.turn }()
	err = db.changePropertiesBy(ctx, db.transact, func(tx *sql.Tx) error { return migrate(ctx, tx, sqliteDialect, migrations) })
	if err != nil {
		return err
	}
	if err := db.identify(); err != nil {
		return err
	}
	db.reserve, err = openReserve(db.path + reserveSuffix)
	if err == nil {
		err = db.reserve.grow(freeSpace(db.path))
	}
	if err != nil {
		db.log.Warn("no room can be held in reserve for when the disk of the state is full", "database", db.path, "err", err)
	}
	return nil
}

// Close waits for the change that is under way and closes the database. The
// second call does nothing.
func (db *DB) Close() error { return db.close() }

func (db *DB) shut() error {
	if err := db.await(context.Background()); err != nil {
		return err
	}
	defer func() { <-db.turn }()
	db.closed = true
	db.tidier.Stop()
	if db.lost() != nil {
		abandonLog(context.Background(), db.writer)
	}
	return errors.Join(db.disconnect(), db.reserve.close(), db.owner.release())
}

// disconnect closes the connections. The last one puts the log into the database.
func (db *DB) disconnect() (err error) {
	if db.pin != nil {
		err = db.pin.Close()
	}
	return errors.Join(err, db.reader.Close(), db.writer.Close())
}

// change runs f in a transaction, when it is its turn. The transaction is
// committed if f succeeds, and ctx has not ended.
func (db *DB) change(ctx context.Context, f func(tx *sql.Tx) error) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	return db.transact(ctx, f)
}

// enter waits for the turn to change something. The files must be in their places.
func (db *DB) enter(ctx context.Context) error {
	if err := db.await(ctx); err != nil {
		return err
	}
	if err := db.lost(); err != nil {
		<-db.turn
		return err
	}
	return nil
}

// await waits for the turn.
func (db *DB) await(ctx context.Context) error {
	select {
	case db.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave lets the next change begin.
func (db *DB) leave() {
	if !db.closed {
		db.tidier.Reset(quiet)
	}
	<-db.turn
}

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
