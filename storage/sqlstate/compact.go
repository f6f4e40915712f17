package sqlstate

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"

	"github.com/davd/davd/storage"
)

// autoVacuum is the mode in which SQLite can shorten a file without rewriting it:
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
