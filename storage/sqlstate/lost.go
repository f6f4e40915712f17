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
// SQLite goes on writing to files that have lost their names, without an error: what
// it acknowledges is gone when the process ends. So each change first compares the
// names with the files. If they differ, the change is refused with storage.ErrState.
// Making the database anew in that place would be no better: the locks, the properties
// and the journal's records of what is under way belong to the old one, which its
// operator may be about to put back, or a backup of it. Reading goes on through the
// connections that are open: what the open files hold is still true.
type files struct {
	// opened are the database and the log as they were at the start; nil before.
	opened atomic.Pointer[[2]os.FileInfo]
	// told: the loss has been logged. It is used in turn.
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

// lost returns an error if the database or its log has lost its name, and logs it
// once. It is called in turn.
func (db *DB) lost() error {
	err := db.missing()
	switch {
	case err == nil && db.files.told:
		db.log.Info("the state is in its place again", "database", db.path)
	case err != nil && !db.files.told:
		db.log.Error("the state was removed or replaced while davd has it open: changes of locks and properties are refused; put the file back, or restart davd to begin with what is there",
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

// connector makes connections only while the names belong to the open files. Otherwise a
// new connection would open another database.
type connector struct {
	driver driver.Driver
	source string
	check  func() error
}

// Connect implements driver.Connector.
func (c *connector) Connect(context.Context) (driver.Conn, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.driver.Open(c.source)
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return c.driver }

// connections returns connections to source as a connector makes them.
func (db *DB) connections(source string) (*sql.DB, error) {
	unguarded, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, err
	}
	guarded := sql.OpenDB(&connector{driver: unguarded.Driver(), source: source, check: db.missing})
	return guarded, unguarded.Close()
}

// abandonLog lets SQLite leave the name of its log alone when it closes the
// database: another file may have it.
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
