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
	"time"
)

const (
	// checkEvery is how often the file is looked at, at most.
	checkEvery = time.Second
	// settled is the age from which on a file's times tell its contents apart:
	// filesystems keep times by the tick, or by two seconds.
	settled = 3 * time.Second
	// maxFile has room for a hundred thousand users.
	maxFile = 16 << 20
)

// Users are those of an htpasswd file, as it was when it was last looked at and
// in order.
type Users struct {
	file  string
	log   *slog.Logger
	table atomic.Pointer[table]
	gate  *gate

	checked atomic.Int64 // when the file was last looked at, in ns since 1970

	mu   sync.Mutex
	seen snapshot
}

// snapshot tells one state of the file from another.
type snapshot struct {
	info fs.FileInfo // nil: it can't be read
	at   time.Time
	sum  [sha256.Size]byte // of the content
	err  error             // why it is not in force
}

// Open reads the users of an htpasswd file. Later changes are logged.
func Open(file string, log *slog.Logger) (*Users, error) {
	u := &Users{file: file, log: log, gate: newGate()}
	now := time.Now()
	u.checked.Store(now.UnixNano())
	if err := u.read(now); err != nil {
		return nil, err
	}
	return u, nil
}

// current returns the users, read again if the file may have changed. While one
// request reads, the others have the users as they were.
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

// changed compares what stat says; a file that had just been written when it was
// read may have been written again within the same tick.
func (u *Users) changed() bool {
	info, err := os.Stat(u.file)
	if err != nil || u.seen.info == nil {
		return true
	}
	return !os.SameFile(info, u.seen.info) || info.Size() != u.seen.info.Size() ||
		!info.ModTime().Equal(u.seen.info.ModTime()) ||
		u.seen.at.Sub(info.ModTime()) < settled
}

// reread puts a good file in force. A bad one is logged, once, and the users
// stay as they are.
func (u *Users) reread(now time.Time) {
	failed, before := u.seen.err, u.table.Load()
	err := u.read(now)
	switch after := u.table.Load(); {
	case err != nil && (failed == nil || failed.Error() != err.Error()):
		u.log.Error("the users stay as they were", "err", err)
	case err == nil && after != before:
		u.log.Info("the users have been read again", "file", u.file, "users", len(after.users))
	}
}

// read reads the file. Its users are in force, unless there is an error.
func (u *Users) read(now time.Time) error {
	info, content, err := readFile(u.file)
	seen := snapshot{info: info, at: now, sum: sha256.Sum256(content)}
	if err == nil && u.seen.info != nil && seen.sum == u.seen.sum {
		seen.err = u.seen.err
		u.seen = seen
		return seen.err
	}
	var accounts map[string]account
	if err == nil {
		accounts, err = parse(u.file, content)
	}
	seen.err = err
	u.seen = seen
	if err == nil {
		u.table.Store(newTable(accounts, u.table.Load()))
	}
	return err
}

// readFile wants a regular file: reading a pipe would take its content away.
func readFile(file string) (fs.FileInfo, []byte, error) {
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s: is not a regular file: name a file of users, and their hashes", file)
	}
	var content []byte
	if err == nil {
		info, content, err = readRegular(file)
	}
	switch {
	case err == nil:
		return info, content, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("%s: no such file: create it with htpasswd -B -c %s NAME", file, file)
	case errors.Is(err, fs.ErrPermission):
		return nil, nil, fmt.Errorf("%s: davd may not read it: give it the right, or name another", file)
	}
	if wrapped, ok := errors.AsType[*fs.PathError](err); ok {
		err = wrapped.Err
	}
	return nil, nil, fmt.Errorf("%s: can't be read (%w): name another file of users", file, err)
}

// readRegular returns the state of the file together with its content.
func readRegular(file string) (fs.FileInfo, []byte, error) {
	f, err := os.Open(file)
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
		err = errors.New("it is longer than 16 MiB")
	}
	return info, content, err
}
