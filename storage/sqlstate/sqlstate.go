// Package sqlstate keeps in an SQL database what must survive a restart: locks, dead
// properties, the journal of running operations, and the history of past ones.
//
// The database is one SQLite file. While a [DB] is open, it is the only owner of the
// file. A lock file beside the database keeps other owners out, and ends with the
// process. Once a method has returned nil, its change is on the disk.
//
// # Names
//
// A resource is stored under its name with a slash at the end. So the tree of a name,
// including the root, is one range in byte order: "/a" is stored as "/a/", and its tree
// is everything from "/a/" to before "/a0". A "%", a NUL, and each byte that is not
// valid UTF-8 are written as % and two hexadecimal digits.
package sqlstate

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/journal"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/tokens"
	"github.com/davd/davd/storage/uploads"
)

// Options configure an open database. The zero value is useful.
type Options struct {
	// Log gets a message when the disk is full and the reserve is used, and when the
	// database is removed while it is open. If Log is nil, these messages are dropped.
	Log *slog.Logger
	// Locks configures [DB.Locks]. Its Store must be nil.
	Locks lock.Options
	// Adopt are databases whose locks and properties Open takes over.
	Adopt []Adoption
}

// DB is an open database. It is safe for concurrent use. It is a [deadprops.Store], a
// [history.Store], a [tokens.Store] and an [uploads.Store].
type DB struct {
	*properties
	operations
	*passwords
	*uploading
	shares

	path string
	// epoch is new each time the database is opened.
	epoch  string
	log    *slog.Logger
	writer *sql.DB // one connection
	reader *sql.DB
	// pin is a connection of reader that stays open. Without it, SQLite could take
	// another connection for the last one and remove the log when that closes.
	pin   *sql.Conn
	owner *owner

	// turn holds a token while a change is being made.
	turn chan struct{}
	// bare reports that the database holds no property. It is written only in turn. It
	// can be kept in memory because the database has no other owner.
	bare atomic.Bool
	// over lists records that could not be removed from the journal. It is used only in
	// turn.
	over []string
	// reserve, files and closed are used only in turn.
	reserve *reserve
	files   files
	closed  bool
	tidier  *time.Timer
	locks   *lock.System

	close func() error
}

var (
	_ lock.Store        = (*DB)(nil)
	_ deadprops.Store   = (*DB)(nil)
	_ deadprops.Securer = (*DB)(nil)
	_ history.Store     = (*DB)(nil)
	_ tokens.Store      = (*DB)(nil)
	_ uploads.Store     = (*DB)(nil)

	_ journal.UrgentStore = (*DB)(nil)
)

// Open opens the database dsn, the path of an SQLite file. If the file does not exist,
// Open creates it, with access only for the user of the process (0600), and its
// directory (0700). It refuses a database that is in use, damaged, made by a newer davd
// or made by another program, and changes no byte of it.
//
// A file beside it reserves space, so that a DELETE works on a full disk.
func Open(ctx context.Context, dsn string) (*DB, error) { return Options{}.Open(ctx, dsn) }

// Open is like the function [Open], with options.
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
		o.Log.Warn("the disk of the state is full: davd uses its reserved space", "database", path)
		db, err = open(ctx, path, migrations, o.Log)
	}
	if err != nil {
		return nil, errors.Join(err, owner.release())
	}
	db.owner = owner
	for _, a := range o.Adopt {
		if err := db.adopt(ctx, a, o.Log); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	o.Locks.Store = db
	if db.locks, err = lock.New(ctx, o.Locks); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: can't read the locks: %w", path, err), db.Close())
	}
	return db, nil
}

// Locks returns the locks. While the DB is open, only they may change the locks in it.
func (db *DB) Locks() lock.Manager { return db.locks }

// Properties returns the dead properties, which are the DB itself.
func (db *DB) Properties() deadprops.Store { return db }

// Journal returns the records of running operations, which are the DB itself.
func (db *DB) Journal() journal.Store { return db }

// Names returns nil: the records have the names that they were saved with.
func (*DB) Names() journal.Names { return nil }

// History returns the results of operations, which are the DB itself.
func (db *DB) History() history.Store { return db }

// Uploads returns the uploads in parts, which are the DB itself.
func (db *DB) Uploads() uploads.Store { return db }

// Tokens returns the application passwords, which are the DB itself.
func (db *DB) Tokens() tokens.Store { return db }

// open opens the database at path, which the process already owns.
func open(ctx context.Context, path string, migrations []migration, log *slog.Logger) (*DB, error) {
	if err := provide(ctx, path, migrations); err != nil {
		return nil, opening(path, err)
	}
	db := &DB{path: path, epoch: strings.ToLower(rand.Text()), log: log, reserve: &reserve{}, turn: make(chan struct{}, 1)}
	if err := db.connect(); err != nil {
		return nil, opening(path, err)
	}
	db.keep()
	db.close = sync.OnceValue(db.shut)
	db.tidier = time.AfterFunc(quiet, db.tidy)
	db.tidier.Stop()
	if err := db.start(ctx, migrations); err != nil {
		return nil, errors.Join(opening(path, err), db.disconnect())
	}
	return db, nil
}

// start upgrades the tables to the newest version, records the identities of the files
// and opens the reserve. Nothing else uses db yet, so it does not wait for its turn.
func (db *DB) start(ctx context.Context, migrations []migration) (err error) {
	if db.pin, err = db.reader.Conn(ctx); err != nil {
		return err
	}
	err = db.changePropertiesInTurn(ctx, db.transact, func(tx *sql.Tx) (left bool, err error) {
		return false, migrate(ctx, tx, migrations)
	})
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
		db.log.Warn("davd can't reserve space on the disk of the state", "database", db.path, "err", err)
	}
	return nil
}

// Close waits for the running change and closes the database. Further calls do nothing.
func (db *DB) Close() error { return db.close() }

func (db *DB) shut() error {
	db.turn <- struct{}{}
	defer func() { <-db.turn }()
	db.closed = true
	db.tidier.Stop()
	if db.lost() != nil {
		abandonLog(context.Background(), db.writer)
	}
	return errors.Join(db.disconnect(), db.reserve.close(), db.owner.release())
}

// disconnect closes the connections. The last one moves the log into the database.
func (db *DB) disconnect() (err error) {
	if db.pin != nil {
		err = db.pin.Close()
	}
	return errors.Join(err, db.reader.Close(), db.writer.Close())
}

// changer is db.transact or db.urgently: it runs f in a transaction, and commits that if
// f succeeds and ctx has not ended. It is called only in turn.
type changer func(ctx context.Context, f func(tx *sql.Tx) error) error

// change waits for its turn and runs f in a transaction.
func (db *DB) change(ctx context.Context, f func(tx *sql.Tx) error) error {
	return db.changeBy(ctx, db.transact, f)
}

func (db *DB) changeBy(ctx context.Context, by changer, f func(tx *sql.Tx) error) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	return by(ctx, f)
}

// enter waits for the turn to make a change. It fails if the files have lost their
// names.
func (db *DB) enter(ctx context.Context) error {
	select {
	case db.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := db.lost(); err != nil {
		<-db.turn
		return err
	}
	return nil
}

// leave lets the next change begin.
func (db *DB) leave() {
	if !db.closed {
		db.tidier.Reset(quiet)
	}
	<-db.turn
}

// transact runs f in a transaction. ctx can't interrupt the commit, because then the
// caller would not know whether it was made.
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
