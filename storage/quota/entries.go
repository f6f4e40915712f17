package quota

import (
	"context"
	"errors"
	"hash/maphash"
	"io/fs"
	"strings"
	"sync"

	"github.com/davd/davd/storage"
)

// entries are locks for names. A call holds the lock of a file from looking at its size
// until the account knows of the change.
type entries struct {
	seed  maphash.Seed
	locks [64]sync.Mutex
}

// lock locks one name, or two different ones.
func (e *entries) lock(a, b string) (unlock func()) {
	i, j := e.index(a), e.index(b)
	if i > j {
		i, j = j, i
	}
	e.locks[i].Lock()
	if i == j {
		return e.locks[i].Unlock
	}
	e.locks[j].Lock()
	return func() {
		e.locks[j].Unlock()
		e.locks[i].Unlock()
	}
}

func (e *entries) index(name string) uint64 {
	return maphash.String(e.seed, name) % uint64(len(e.locks))
}

// lockFile locks name against other changes of the file and against the walk.
func (q *FS) lockFile(name string) (unlock func()) {
	q.gate.RLock()
	unlockEntry := q.entries.lock(name, name)
	return func() {
		unlockEntry()
		q.gate.RUnlock()
	}
}

// sizeOf returns the size that info contributes to the usage.
func sizeOf(info fs.FileInfo) int64 {
	if info == nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

// entry describes name. It returns nil if nothing has that name or it can't be described.
func (q *FS) entry(ctx context.Context, name string) fs.FileInfo {
	info, err := storage.Lstat(ctx, q.FS, name)
	if err != nil {
		return nil
	}
	return info
}

func unsupported(err error) bool { return errors.Is(err, errors.ErrUnsupported) }

// within returns the part of name below tree, which is "" for tree itself.
func within(name, tree string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(name, tree)
	return rest, ok && (rest == "" || rest[0] == '/')
}
