package sqlstate

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/davd/davd/storage"
)

// Why a database is refused.
var (
	errDamaged = errors.New("the database is damaged")
	errForeign = errors.New("the database is another program's")
	errNewer   = errors.New("the database is of a newer davd")
)

// advice says what to do about them.
var advice = []struct {
	err  error
	what string
}{
	{errDamaged, "put a copy of it from before in its place, or move it away to begin with no locks and no properties"},
	{errForeign, "name another file, or move this one away"},
	{errNewer, "run that davd, or name another file"},
}

// opening says which file could not be opened, why, and what to do.
func opening(path string, err error) error {
	if err == nil {
		return nil
	}
	if damaged(err) && !errors.Is(err, errDamaged) {
		err = fmt.Errorf("%w: %w", errDamaged, err)
	}
	for _, a := range advice {
		if errors.Is(err, a.err) {
			return fmt.Errorf("%s: %w (nothing was changed; %s)", path, err, a.what)
		}
	}
	return fmt.Errorf("%s: opening the database: %w", path, full(err))
}

// failed says what could not be done, to the properties of name for example.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, unwritable(full(err)))
}

// unwritable marks the failure of a disk that is not full as storage.ErrState. The
// cause is only told: an EROFS of the state is none of the share.
func unwritable(err error) error {
	var errno syscall.Errno
	if !storage.NoSpace(err) && (diskFailed(err) || errors.As(err, &errno)) && !errors.Is(err, storage.ErrState) {
		return fmt.Errorf("%w: %v", storage.ErrState, err) //nolint:errorlint // see above
	}
	return err
}

// diskFailed reports whether SQLite could not read or write a file.
func diskFailed(err error) bool {
	switch c := code(err); c & 0xff {
	case sqlite3.SQLITE_IOERR:
		return c != sqlite3.SQLITE_IOERR_SHMSIZE
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return true
	}
	return false
}

// code is the result code of SQLite, with its extension, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func damaged(err error) bool {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// full marks an error that means that the disk is full as storage.NoSpace knows
// it. The index of the log is the one file that SQLite enlarges without saying
// why it could not.
func full(err error) error {
	if c := code(err); c&0xff == sqlite3.SQLITE_FULL || c == sqlite3.SQLITE_IOERR_SHMSIZE {
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	}
	return err
}

// inUse says that another has the database, who, and what to do.
func inUse(path, pid string) error {
	if pid != "" {
		pid = " (process " + pid + ")"
	}
	return fmt.Errorf("%s: the database is in use by another davd%s; stop that, or name another file", path, pid)
}
