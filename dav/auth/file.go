package auth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/davd/davd/dav/auth/passfile"
)

const (
	// checkEvery is the shortest time between two checks of the file for changes.
	checkEvery = time.Second
	// settled is the age at which a file's modification time identifies its content. A
	// younger file may change again without a new time, because filesystems store times
	// with a resolution of up to two seconds.
	settled = 3 * time.Second
	// maxFile is the largest size of the file in bytes, enough for 100,000 users.
	maxFile = 16 << 20
)

// Users are the users of an htpasswd file, as it was when it was last checked.
//
// If the file is deleted, empty or without users, no one can log in. The user of a
// damaged line can't log in either. So a removed user is locked out, whatever happens to
// the file. If the file exists but can't be read, the users stay as they were.
type Users struct {
	file  string
	check func() error
	log   *slog.Logger
	table atomic.Pointer[table]
	gate  *gate
	// digests has a key of this process.
	digests digester

	checked atomic.Int64 // when the file was last checked, in ns since 1970

	mu   sync.Mutex
	seen snapshot
}

// snapshot identifies a state of the file, to detect changes.
type snapshot struct {
	info fs.FileInfo // nil if it can't be read
	at   time.Time
	sum  [sha256.Size]byte // of the content
	err  error             // why it can't be read
}

type goneError struct{ error }

func (e goneError) Unwrap() error { return e.error }

// Open reads the users of an htpasswd file and returns an error if a line is damaged.
// Later changes are logged. check, if not nil, is called each time the file is read. If it
// returns an error, the file is not used.
func Open(file string, check func() error, log *slog.Logger) (*Users, error) {
	if check == nil {
		check = func() error { return nil }
	}
	u := &Users{file: file, check: check, log: log, gate: newGate()}
	now := time.Now()
	u.checked.Store(now.UnixNano())
	content, _, err := u.read(now)
	if err != nil {
		return nil, err
	}
	accounts, damaged := passfile.Parse(file, content)
	switch {
	case len(damaged) > 0:
		return nil, damaged[0]
	case len(accounts) == 0:
		return nil, u.errEmpty()
	}
	u.table.Store(newTable(accounts, nil))
	return u, nil
}

func (u *Users) errEmpty() error {
	return fmt.Errorf("%s: it lists no users: add one with htpasswd -B %s NAME", u.file, u.file)
}

// current returns the users, after it has read the file again if that may have changed.
// While one request reads the file, others get the previous users.
func (u *Users) current(now time.Time) *table {
	if last := u.checked.Load(); now.UnixNano()-last >= int64(checkEvery) && u.mu.TryLock() {
		defer u.mu.Unlock()
		u.checked.Store(now.UnixNano())
		if u.changed() {
			u.reread(now)
		}
	}
	return u.table.Load()
}

// changed reports whether the file may have changed since it was read. It compares the
// results of stat, and returns true if the file was too young when it was read (see
// settled).
func (u *Users) changed() bool {
	info, err := os.Stat(u.file) //nolint:gosec // the operator has named it
	if err != nil || u.seen.info == nil {
		return true
	}
	return !os.SameFile(info, u.seen.info) || info.Size() != u.seen.info.Size() ||
		!info.ModTime().Equal(u.seen.info.ModTime()) ||
		u.seen.at.Sub(info.ModTime()) < settled
}

// reread reads the file again, installs its users and logs the consequences.
func (u *Users) reread(now time.Time) {
	failed, before := u.seen.err, u.table.Load()
	content, changed, err := u.read(now)
	_, gone := errors.AsType[goneError](err)
	news := failed == nil || err == nil || failed.Error() != err.Error()
	switch {
	case gone && news:
		u.log.Error("no user can log in", "err", err)
	case err != nil && news:
		u.log.Error("can't read the file of users again: the users stay as they were", "err", err)
	}
	switch {
	case gone && len(before.users) > 0:
		u.table.Store(newTable(nil, nil))
	case err == nil && changed:
		u.install(content, before)
	}
}

// maxReported is how many damaged lines are logged individually.
const maxReported = 20

// install replaces the users with those in content.
func (u *Users) install(content []byte, before *table) {
	accounts, damaged := passfile.Parse(u.file, content)
	u.table.Store(newTable(accounts, before))
	for _, err := range damaged[:min(len(damaged), maxReported)] {
		u.log.Error("a line of the file of users is damaged: its user can't log in", "err", err)
	}
	if more := len(damaged) - maxReported; more > 0 {
		u.log.Error("more lines of the file of users are damaged", "file", u.file, "lines", more)
	}
	if len(accounts) == 0 {
		u.log.Error("no user can log in", "err", u.errEmpty())
	}
	u.log.Info("the users have been read again", "file", u.file, "users", len(accounts))
}

// read reads the file, and reports whether its content has changed since the last time.
func (u *Users) read(now time.Time) (content []byte, changed bool, err error) {
	info, content, err := readFile(u.file)
	if err == nil {
		err = u.check()
	}
	if err != nil {
		info = nil
	}
	seen := snapshot{info: info, at: now, sum: sha256.Sum256(content), err: err}
	changed = err == nil && (u.seen.info == nil || seen.sum != u.seen.sum)
	u.seen = seen
	return content, changed, err
}

// readFile reads a regular file. For anything else it returns a goneError, as if the file
// had been deleted: reading a pipe, for example, would consume its content.
func readFile(file string) (fs.FileInfo, []byte, error) {
	info, err := os.Stat(file) //nolint:gosec // the operator has named it
	if err == nil && !info.Mode().IsRegular() {
		return nil, nil, goneError{fmt.Errorf("%s: is not a regular file: name a file that lists users and their password hashes", file)}
	}
	var content []byte
	if err == nil {
		info, content, err = readRegular(file)
	}
	switch {
	case err == nil:
		return info, content, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, nil, goneError{fmt.Errorf("%s: no such file: create it with htpasswd -B -c %s NAME", file, file)}
	case errors.Is(err, fs.ErrPermission):
		return nil, nil, fmt.Errorf("%s: davd lacks permission to read it: grant that, or name another file", file)
	}
	if wrapped, ok := errors.AsType[*fs.PathError](err); ok {
		err = wrapped.Err
	}
	return nil, nil, fmt.Errorf("%s: can't be read (%w): name another file of users", file, err)
}

// readRegular returns the state of the file together with its content.
func readRegular(file string) (fs.FileInfo, []byte, error) {
	f, err := os.Open(file) //nolint:gosec // the operator has named it
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = errors.New("it is larger than 16 MiB")
	}
	return info, content, err
}
