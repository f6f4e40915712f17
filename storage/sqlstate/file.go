package sqlstate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	// applicationID is what marks an SQLite file as davd's: "davd".
	applicationID = 0x64617664

	readers   = 8        // connections
	cacheSize = 16 << 10 // KiB for each connection, at most
	logLimit  = 4 << 20  // bytes that the log is cut to when it has grown beyond
	busyLimit = 10_000   // ms to wait for another program that reads the file
)

// locate returns the path of the file without symbolic links, so that there is
// one lock for one file, and makes its directory.
func locate(dsn string) (string, error) {
	if scheme, _, found := strings.Cut(dsn, "://"); found {
		return "", fmt.Errorf("%s://…: only the path of an SQLite file is supported", scheme)
	}
	if dsn == "" {
		return "", errors.New("no path for the database")
	}
	path, err := filepath.Abs(dsn)
	if err != nil {
		return "", err
	}
	if err := makeDir(filepath.Dir(path)); err != nil {
		return "", fmt.Errorf("the directory of the database: %w", err)
	}
	resolved, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("%s: a symbolic link to what is not there; remove it or make it whole", path)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(dir, filepath.Base(path)), err
}

// makeDir makes a directory and what is missing above it, on the disk when it
// returns.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(dir)
	if err := makeDir(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(above)
}

// provide checks the database at path, or makes it if it is not there.
func provide(ctx context.Context, path string, migrations []migration) error {
	for _, suffix := range []string{"", "-wal", "-journal"} {
		info, err := os.Lstat(path + suffix)
		switch {
		case errors.Is(err, fs.ErrNotExist) && suffix == "":
			return opening(path, create(ctx, path, migrations))
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return opening(path, err)
		case !info.Mode().IsRegular():
			return opening(path, fmt.Errorf("%w: %s is not a regular file", errForeign, path+suffix))
		case suffix == "-journal":
			return opening(path, fmt.Errorf("%w: %s is not davd's", errForeign, path+suffix))
		}
	}
	if err := inspect(ctx, path, migrations); err != nil {
		return opening(path, err)
	}
	return opening(path, compact(ctx, path))
}

// create makes an empty database. It appears under its name when it is whole, so
// that an empty file is never one of ours.
func create(ctx context.Context, path string, migrations []migration) error {
	for _, suffix := range []string{"-wal", "-journal"} {
		if _, err := os.Lstat(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: it is missing, but its log %s is there", errDamaged, path+suffix)
		}
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			_ = os.Remove(file.Name() + suffix) // Mostly not there.
		}
	}()
	if err := file.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dataSource(file.Name(), "mode=rw", "_synchronous=FULL", "_txlock=immediate",
		"_pragma=auto_vacuum("+autoVacuum+")"))
	if err != nil {
		return err
	}
	err = transact(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
		return migrate(ctx, tx, sqliteDialect, migrations)
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// dataSource returns what the driver takes for the file and its parameters. SQLite
// keeps temporary data in memory, because the disk for temporary files can also be full.
func dataSource(path string, parameters ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(append(parameters,
		"_pragma=temp_store(memory)", "_defensive=1", "_dqs=0", "_error_rc=1", fmt.Sprintf("_busy_timeout=%d", busyLimit)), "&")}
	return u.String()
}

// connect opens the database that is there. A commit is on the disk when it is
// done: FULL waits for the log at each one, and fullfsync makes macOS's fsync do
// what others' does. Readers see what was committed and wait for nobody.
func (db *DB) connect() (err error) {
	cache := fmt.Sprintf("_pragma=cache_size(-%d)", cacheSize)
	db.writer, err = db.connections(dataSource(db.path, "mode=rw", "_txlock=immediate",
		"_journal_mode=WAL", "_synchronous=FULL", "_pragma=fullfsync(1)", "_pragma=checkpoint_fullfsync(1)",
		fmt.Sprintf("_pragma=journal_size_limit(%d)", logLimit), cache))
	if err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	db.reader, err = db.connections(dataSource(db.path, "mode=rw", "_query_only=1", cache))
	if err != nil {
		return errors.Join(err, db.writer.Close())
	}
	db.reader.SetMaxOpenConns(readers + 1) // and the pin
	db.reader.SetMaxIdleConns(readers)
	return nil
}
