package auth

import (
	"context"
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

// File is a [Verifier] of the users of an htpasswd file, as it was when it was last checked.
// That is at most a second ago while requests arrive.
//
// If the file is deleted, empty or without users, no one can log in. The user of a
// damaged line can't log in either. So a removed user is locked out, whatever happens to
// the file. If the file exists but can't be read, the users stay as they were.
type File struct {
	users Users
	file  string
	check func() error
	log   *slog.Logger

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

// OpenFile reads the users of an htpasswd file and returns an error if a line is damaged.
// Later changes are logged. check, if not nil, is called each time the file is read. If it
// returns an error, the file is not used. log may be nil.
func OpenFile(file string, check func() error, log *slog.Logger) (*File, error) {
	if check == nil {
		check = func() error { return nil }
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f := &File{file: file, check: check, log: log}
	now := time.Now()
	f.checked.Store(now.UnixNano())
	content, _, err := f.read(now)
	if err != nil {
		return nil, err
	}
	accounts, damaged := passfile.Parse(file, content)
	switch {
	case len(damaged) > 0:
		return nil, damaged[0]
	case len(accounts) == 0:
		return nil, f.errEmpty()
	}
	f.users.Set(ofAccounts(accounts))
	return f, nil
}

func ofAccounts(accounts map[string]passfile.Account) map[string]Account {
	users := make(map[string]Account, len(accounts))
	for name, a := range accounts {
		users[name] = Account{Account: a}
	}
	return users
}

func (f *File) errEmpty() error {
	return fmt.Errorf("%s: it lists no users: add one with htpasswd -B %s NAME", f.file, f.file)
}

// current returns the users, after it has read the file again if that may have changed.
// While one request reads the file, others get the previous users.
func (f *File) current(now time.Time) *table {
	if last := f.checked.Load(); now.UnixNano()-last >= int64(checkEvery) && f.mu.TryLock() {
		defer f.mu.Unlock()
		f.checked.Store(now.UnixNano())
		if f.changed() {
			f.reread(now)
		}
	}
	return f.users.current()
}

// changed reports whether the file may have changed since it was read. It compares the
// results of stat, and returns true if the file was too young when it was read (see
// settled).
func (f *File) changed() bool {
	info, err := os.Stat(f.file) //nolint:gosec // the operator has named it
	if err != nil || f.seen.info == nil {
		return true
	}
	return !os.SameFile(info, f.seen.info) || info.Size() != f.seen.info.Size() ||
		!info.ModTime().Equal(f.seen.info.ModTime()) ||
		f.seen.at.Sub(info.ModTime()) < settled
}

// reread reads the file again, installs its users and logs the consequences.
func (f *File) reread(now time.Time) {
	failed, before := f.seen.err, f.users.current()
	content, changed, err := f.read(now)
	_, gone := errors.AsType[goneError](err)
	news := failed == nil || err == nil || failed.Error() != err.Error()
	switch {
	case gone && news:
		f.log.Error("no user can log in", "err", err)
	case err != nil && news:
		f.log.Error("can't read the file of users again: the users stay as they were", "err", err)
	}
	switch {
	case gone && len(before.users) > 0:
		f.users.Set(nil)
	case err == nil && changed:
		f.install(content)
	}
}

// Verify implements [Verifier].
func (f *File) Verify(_ context.Context, name, password string) (*Identity, error) {
	return f.current(time.Now()).verify(&f.users.digests, name, password)
}

// Valid implements [Verifier].
func (f *File) Valid(id *Identity) bool { return f.current(time.Now()).valid(id) }

// Probe implements [Prober].
func (f *File) Probe(name string) Standing { return f.current(time.Now()).probe(name) }

// Find implements [Finder].
func (f *File) Find(_ context.Context, name string) (*Identity, error) {
	return f.current(time.Now()).find(name)
}

// maxReported is how many damaged lines are logged individually.
const maxReported = 20

// install replaces the users with those in content.
func (f *File) install(content []byte) {
	accounts, damaged := passfile.Parse(f.file, content)
	f.users.Set(ofAccounts(accounts))
	for _, err := range damaged[:min(len(damaged), maxReported)] {
		f.log.Error("a line of the file of users is damaged: its user can't log in", "err", err)
	}
	if more := len(damaged) - maxReported; more > 0 {
		f.log.Error("more lines of the file of users are damaged", "file", f.file, "lines", more)
	}
	if len(accounts) == 0 {
		f.log.Error("no user can log in", "err", f.errEmpty())
	}
	f.log.Info("the users have been read again", "file", f.file, "users", len(accounts))
}

// read reads the file, and reports whether its content has changed since the last time.
func (f *File) read(now time.Time) (content []byte, changed bool, err error) {
	info, content, err := readFile(f.file)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		info = nil
	}
	seen := snapshot{info: info, at: now, sum: sha256.Sum256(content), err: err}
	changed = err == nil && (f.seen.info == nil || seen.sum != f.seen.sum)
	f.seen = seen
	return content, changed, err
}

// readFile reads a regular file. For a file that is not regular it returns a goneError, as if
// the file had been deleted: reading a pipe, for example, would consume its content.
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
