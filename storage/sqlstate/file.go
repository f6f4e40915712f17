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

	"github.com/davd/davd/storage"
)

const (
	// applicationID marks an SQLite file as davd's: the bytes "davd".
	applicationID = 0x64617664

	readers   = 8        // connections
	cacheSize = 16 << 10 // KiB for each connection, at most
	logLimit  = 4 << 20  // bytes to which SQLite cuts the log when it has grown beyond that
	busyLimit = 10_000   // ms to wait for another program that reads the file
)

// locate returns the path of the file without symbolic links, so that each file has
// only one lock. It creates the directory of the file.
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
		return "", fmt.Errorf("%s: a symbolic link to a file that does not exist; remove or fix the link", path)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(dir, filepath.Base(path)), err
}

// makeDir creates a directory and its missing parents. They are on the disk when it
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

// provide checks the database at path, or creates it if it does not exist.
func provide(ctx context.Context, path string, migrations []migration) error {
	for _, suffix := range []string{"", "-wal", "-journal"} {
		info, err := os.Lstat(path + suffix)
		switch {
		case errors.Is(err, fs.ErrNotExist) && suffix == "":
			return create(ctx, path, migrations)
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !info.Mode().IsRegular():
			return fmt.Errorf("%w: %s is not a regular file", errForeign, path+suffix)
		case suffix == "-journal":
			return fmt.Errorf("%w: %s was not made by davd", errForeign, path+suffix)
		}
	}
	if err := inspect(ctx, path, migrations); err != nil {
		return err
	}
	return compact(ctx, path)
}

// create creates an empty database.
func create(ctx context.Context, path string, migrations []migration) error {
	for _, suffix := range []string{"-wal", "-journal"} {
		if _, err := os.Lstat(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: it is missing, but its log %s exists", errDamaged, path+suffix)
		}
	}
	return replaceFile(path, func(fresh string) error {
		db, err := sql.Open("sqlite", dataSource(fresh, "mode=rw", "_synchronous=FULL", "_txlock=immediate",
			"_pragma=auto_vacuum("+autoVacuum+")"))
		if err != nil {
			return err
		}
		err = transact(ctx, db, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
				return err
			}
			return migrate(ctx, tx, migrations)
		})
		return errors.Join(err, db.Close())
	})
}

// replaceFile puts a new file at path, which build fills. The new file is complete and on the
// disk before it gets the name.
func replaceFile(path string, build func(fresh string) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			_ = os.Remove(file.Name() + suffix) // Usually these do not exist.
		}
	}()
	if err := errors.Join(build(file.Name()), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// autoVacuum is the mode that lets SQLite shorten a file without rewriting it:
// incremental (https://sqlite.org/pragma.html#pragma_auto_vacuum).
const autoVacuum = "2"

// errLogRemains says that another program keeps the log of the old database.
var errLogRemains = errors.New("the log remains")

// compact rewrites a database of an older davd, so that it can shrink from then on. If
// the disk has no space for that, or another program has the database open, it stays as
// it is until the next start.
func compact(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dataSource(path, "mode=rw"))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var mode string
	err = db.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode)
	if err != nil || mode == autoVacuum {
		return err
	}
	err = replaceFile(path, func(fresh string) error {
		_, err := db.ExecContext(ctx, "PRAGMA auto_vacuum = "+autoVacuum)
		if err == nil {
			_, err = db.ExecContext(ctx, "VACUUM INTO $1", fresh)
		}
		// The last connection that closes moves the log into the old database.
		if err = errors.Join(err, db.Close()); err != nil {
			return err
		}
		if _, err := os.Lstat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
			return errLogRemains // SQLite would take this log for that of the new file.
		}
		return nil
	})
	if storage.NoSpace(full(err)) || errors.Is(err, errLogRemains) {
		return nil
	}
	return err
}

// dataSource returns the data source name of the driver for the file and the
// parameters. SQLite keeps temporary data in memory, because the disk for temporary
// files can be full too.
func dataSource(path string, parameters ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(append(parameters,
		"_pragma=temp_store(memory)", "_defensive=1", "_dqs=0", "_error_rc=1", fmt.Sprintf("_busy_timeout=%d", busyLimit)), "&")}
	return u.String()
}

// connect opens the existing database. A commit is on the disk when it returns: FULL
// waits for the log at each commit, and fullfsync makes fsync on macOS do what it does
// elsewhere. Readers see what was committed and wait for no one.
func (db *DB) connect() (err error) {
	cache := fmt.Sprintf("_pragma=cache_size(-%d)", cacheSize)
	db.writer, err = db.connections(dataSource(db.path, "mode=rw", "_txlock=immediate",
		"_journal_mode=WAL", "_synchronous=FULL", "_pragma=fullfsync(1)", "_pragma=checkpoint_fullfsync(1)",
		fmt.Sprintf("_pragma=journal_size_limit(%d)", logLimit), cache))
	if err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	if db.reader, err = db.connections(dataSource(db.path, "mode=rw", "_query_only=1", cache)); err != nil {
		return errors.Join(err, db.writer.Close())
	}
	db.reader.SetMaxOpenConns(readers + 1) // and the pin
	db.reader.SetMaxIdleConns(readers)
	return nil
}
