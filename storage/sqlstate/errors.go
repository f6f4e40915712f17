package sqlstate

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/davd/davd/storage"
)

// Reasons to refuse a database.
var (
	errDamaged = errors.New("the database is damaged")
	errForeign = errors.New("the database belongs to another program")
	errNewer   = errors.New("the database was made by a newer davd")
)

// advice says what to do about them.
var advice = []struct {
	err  error
	what string
}{
	{errDamaged, "restore it from a backup, or move it away to start without locks and properties"},
	{errForeign, "name another file, or move this one away"},
	{errNewer, "run the newer davd, or name another file"},
}

// opening adds to err which file could not be opened and what to do about it.
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

// failed adds to err what could not be done.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, unwritable(full(err)))
}

// unwritable makes the failure of a disk that is not full match storage.ErrState. The
// cause remains only as text, because an EROFS of the state does not mean that the
// share is read-only.
func unwritable(err error) error {
	_, fromSystem := errors.AsType[syscall.Errno](err)
	if !storage.NoSpace(err) && (diskFailed(err) || fromSystem) && !errors.Is(err, storage.ErrState) {
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

// code returns the extended result code of SQLite, or 0.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

func damaged(err error) bool {
	c := code(err) & 0xff
	return c == sqlite3.SQLITE_CORRUPT || c == sqlite3.SQLITE_NOTADB
}

// full makes errors about a full disk match storage.NoSpace. It counts
// SQLITE_IOERR_SHMSIZE as one of them: when SQLite fails to enlarge the index of its log,
// it does not report the reason.
func full(err error) error {
	if c := code(err); c&0xff == sqlite3.SQLITE_FULL || c == sqlite3.SQLITE_IOERR_SHMSIZE {
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	}
	return err
}

// inUse says that another process has the database, which one, and what to do about it.
func inUse(path, pid string) error {
	if pid != "" {
		pid = " (process " + pid + ")"
	}
	return fmt.Errorf("%s: the database is in use by another davd%s; stop that, or name another file", path, pid)
}
