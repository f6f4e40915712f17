package sqlstate

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/davd/davd/storage"
)

// autoVacuum is the mode in which SQLite can shorten a file without rewriting it:
// incremental (https://sqlite.org/pragma.html#pragma_auto_vacuum).
const autoVacuum = "2"

// compact rewrites a database of an older davd, so that it can shrink from then on. The
// new file is complete and on the disk before it gets the name. If the disk has no
// space for it, the database stays as it is until the next start.
func compact(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dataSource(path, "mode=rw"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	var mode string
	err = db.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode)
	if err != nil || mode == autoVacuum {
		return errors.Join(err, db.Close())
	}
	fresh, err := rewrite(ctx, db, path)
	if fresh != "" {
		defer os.Remove(fresh) // Usually it was renamed.
	}
	// The last connection that closes moves the log into the old database.
	if err = errors.Join(err, db.Close()); storage.NoSpace(full(err)) {
		return nil
	} else if err != nil {
		return err
	}
	if _, err := os.Lstat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return nil // SQLite would take this log for that of the new file.
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// rewrite returns the name of a copy of db. The copy is in the directory of path.
func rewrite(ctx context.Context, db *sql.DB, path string) (fresh string, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // 0600
	if err != nil {
		return "", err
	}
	defer file.Close()
	if _, err := db.ExecContext(ctx, "PRAGMA auto_vacuum = "+autoVacuum); err != nil {
		return file.Name(), err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO $1", file.Name()); err != nil {
		return file.Name(), err
	}
	return file.Name(), file.Sync()
}
