package sqlstate

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"sync/atomic"

	"modernc.org/sqlite"

	"github.com/davd/davd/storage"
)

// files are the database and its log.
//
// SQLite continues to write to files that have lost their names, without an error. Such
// changes are gone when the process ends, although they were acknowledged. So before
// each change, davd compares the names with the open files. If they differ, the change
// is refused with storage.ErrState. A new database under that name would be no better:
// the locks, the properties and the records of running operations belong to the old
// one, and the operator may be about to put it back, or a backup of it. The open
// connections can still read, because the content of the open files is still true.
type files struct {
	// opened describes the database and the log at the start; nil before that.
	opened atomic.Pointer[[2]os.FileInfo]
	// told reports that the loss has been logged. It is used only in turn.
	told bool
}

func (db *DB) identify() error {
	database, err := os.Stat(db.path)
	if err != nil {
		return err
	}
	log, err := os.Stat(db.path + "-wal")
	if err != nil {
		return err
	}
	db.files.opened.Store(&[2]os.FileInfo{database, log})
	return nil
}

// lost returns an error if the database or its log has lost its name, and logs the loss
// once. It is called only in turn.
func (db *DB) lost() error {
	err := db.missing()
	switch {
	case err == nil && db.files.told:
		db.log.Info("the state is back in its place", "database", db.path)
	case err != nil && !db.files.told:
		db.log.Error("the state was removed or replaced while davd was using it: changes of locks and properties are refused; put the file back, or restart davd to use what is there now",
			"database", db.path, "err", err)
	}
	db.files.told = err != nil
	return err
}

// missing returns an error if the database or its log has lost its name.
func (db *DB) missing() error {
	opened := db.files.opened.Load()
	if opened == nil {
		return nil
	}
	for i, suffix := range [...]string{"", "-wal"} {
		if is, err := os.Stat(db.path + suffix); err != nil || !os.SameFile(is, opened[i]) {
			return fmt.Errorf("%w: %s was removed or replaced", storage.ErrState, db.path+suffix)
		}
	}
	return nil
}

// connector opens connections only while the names refer to the open files. Otherwise a
// new connection would open another database.
type connector struct {
	driver.Connector
	check func() error
}

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.Connector.Connect(ctx)
}

// connections returns a pool of connections to source, which a connector opens.
func (db *DB) connections(source string) (*sql.DB, error) {
	unguarded, err := sqlite.NewConnector(source)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{unguarded, db.missing}), nil
}

// abandonLog makes SQLite keep the log when it closes the database. Otherwise it would
// remove the file with that name, which may be another one.
func abandonLog(ctx context.Context, writer *sql.DB) {
	conn, err := writer.Conn(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.Raw(func(driver any) error {
		control, ok := driver.(sqlite.FileControl)
		if !ok {
			return nil
		}
		_, err := control.FileControlPersistWAL("main", 1)
		return err
	})
}
