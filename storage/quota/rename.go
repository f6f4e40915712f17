package quota

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"sync"
	"time"

	"github.com/davd/davd/storage"
)

// Rename renames oldName to newName.
func (q *FS) Rename(ctx context.Context, oldName, newName string) error {
	return q.rename(ctx, oldName, newName, func() error { return q.FS.Rename(ctx, oldName, newName) })
}

func (q *FS) rename(ctx context.Context, oldName, newName string, rename func() error) error {
	if err := q.ready(ctx); err != nil {
		return err
	}
	from, to := storage.Clean(oldName), storage.Clean(newName)
	if from == to {
		return rename()
	}
	q.gate.RLock()
	unlock := q.entries.lock(from, to)
	old := q.entry(ctx, from)
	if old == nil || !old.IsDir() {
		defer q.gate.RUnlock()
		defer unlock()
		return q.renameFile(ctx, from, to, old, rename)
	}
	unlock()
	q.gate.RUnlock()

	q.gate.Lock()
	defer q.gate.Unlock()
	if old = q.entry(ctx, from); old == nil || !old.IsDir() {
		return q.renameFile(ctx, from, to, old, rename)
	}
	if err := rename(); err != nil {
		return err
	}
	q.account.renamedTree(from, to)
	return nil
}

// renameFile renames the file from, which old describes; nil if it doesn't exist.
func (q *FS) renameFile(ctx context.Context, from, to string, old fs.FileInfo, rename func() error) error {
	present := q.entry(ctx, to)
	if err := rename(); err != nil {
		return err
	}
	// Renaming a file to another name of itself does nothing.
	if old == nil || present != nil && storage.SameFile(old, present) && q.entry(ctx, from) != nil {
		return nil
	}
	if present != nil && storage.SameFile(old, present) && storage.Fold(from) == storage.Fold(to) {
		present = nil // another spelling of the same name
	}
	q.account.renamedFile(from, to, sizeOf(old), sizeOf(present))
	return nil
}

// renamedFile says that the file from has been renamed to to, in place of a file of replaced
// bytes.
func (a *account) renamedFile(from, to string, size, replaced int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.removedLocked(to, replaced)
	if r := a.open[from]; r != nil {
		size = r.size
		r.name = to
		delete(a.open, from)
		a.open[to] = r
	}
	a.addLocked(from, -size)
	a.addLocked(to, size)
}

// renamedTree says that the collection from has been renamed to to.
func (a *account) renamedTree(from, to string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	below := a.takeLocked(from)
	a.putLocked(to, below)
}

// tree is what the account knows of a tree, by the rest of the names.
type tree struct {
	open     map[string]*record
	unplaced []string
	moved    moved
}

func (a *account) takeLocked(name string) tree {
	t := tree{open: make(map[string]*record)}
	for at, r := range a.open {
		if rest, ok := within(at, name); ok {
			t.open[rest] = r
			delete(a.open, at)
		}
	}
	for at := range a.unplaced {
		if rest, ok := within(at, name); ok {
			t.unplaced = append(t.unplaced, rest)
			delete(a.unplaced, at)
		}
	}
	if a.recount != nil {
		t.moved = a.recount.take(name)
	}
	return t
}

func (a *account) putLocked(name string, t tree) {
	for rest, r := range t.open {
		r.name = path.Join(name, rest)
		a.open[r.name] = r
	}
	for _, rest := range t.unplaced {
		a.unplaced[path.Join(name, rest)] = struct{}{}
	}
	if a.recount != nil {
		a.recount.put(name, t.moved)
	}
}

// RenameWith swaps two names, or renames to another FS. It doesn't swap names of two FS.
func (q *FS) RenameWith(ctx context.Context, r storage.Renaming) error {
	if err := q.ready(ctx); err != nil {
		return err
	}
	if r.Into == storage.FS(q) {
		r.Into = nil
	}
	switch {
	case r.Into != nil && r.Swap:
		return r.Failed(errors.ErrUnsupported)
	case r.Into != nil:
		return q.renameOut(ctx, r)
	case r.Swap:
		return q.swap(ctx, r)
	}
	return q.rename(ctx, r.Old, r.New, func() error { return storage.RenameWith(ctx, q.FS, r) })
}

func (q *FS) swap(ctx context.Context, r storage.Renaming) error {
	q.gate.Lock()
	defer q.gate.Unlock()
	a, b := storage.Clean(r.Old), storage.Clean(r.New)
	sizeA, sizeB := sizeOf(q.entry(ctx, a)), sizeOf(q.entry(ctx, b))
	if err := storage.RenameWith(ctx, q.FS, r); err != nil || a == b {
		return err
	}
	q.account.swapped(a, b, sizeA, sizeB)
	return nil
}

// swapped says that a and b have been swapped. If they are files, they have sizeA and sizeB
// bytes, and otherwise 0.
func (a *account) swapped(nameA, nameB string, sizeA, sizeB int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.open[nameA]; r != nil {
		sizeA = r.size
	}
	if r := a.open[nameB]; r != nil {
		sizeB = r.size
	}
	treeA, treeB := a.takeLocked(nameA), a.takeLocked(nameB)
	a.putLocked(nameB, treeA)
	a.putLocked(nameA, treeB)
	a.addLocked(nameA, sizeB-sizeA)
	a.addLocked(nameB, sizeA-sizeB)
}

// renameOut renames a file or a tree to another FS. A tree is counted first. Meanwhile other
// changes wait. The caller may hold locks of the other FS, which may be waiting for this one.
// So renameOut doesn't wait for long, and then the tree has to be copied.
func (q *FS) renameOut(ctx context.Context, r storage.Renaming) error {
	if !tryLock(ctx, &q.gate) {
		return r.Failed(errors.ErrUnsupported)
	}
	defer q.gate.Unlock()
	from := storage.Clean(r.Old)
	size, counted, err := q.measure(ctx, from)
	if err != nil {
		return err
	}
	if err := storage.RenameWith(ctx, q.FS, r); err != nil {
		return err
	}
	q.account.movedOut(from, size, counted)
	return nil
}

// tryLock locks gate unless that takes long.
func tryLock(ctx context.Context, gate *sync.RWMutex) bool {
	const tries = 500
	for range tries {
		if gate.TryLock() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Millisecond):
		}
	}
	return false
}

// measure returns the bytes of the files at and below name, and those that the walk has
// counted. The caller holds the gate.
func (q *FS) measure(ctx context.Context, name string) (size, counted int64, err error) {
	q.account.mu.Lock()
	walking := q.account.recount
	q.account.mu.Unlock()
	err = storage.EachFile(ctx, q.FS, name, func(name string, info fs.FileInfo) {
		n := sizeOf(info)
		q.account.mu.Lock()
		defer q.account.mu.Unlock()
		if r := q.account.open[name]; r != nil {
			n = r.size
		}
		size += n
		if walking != nil && walking.counted(name) {
			counted += n
		}
	})
	return size, counted, err
}

// movedOut says that the tree name is no longer here.
func (a *account) movedOut(name string, size, counted int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used -= size
	if a.recount != nil {
		a.recount.found -= counted
	}
	for _, r := range a.takeLocked(name).open {
		r.gone = true
	}
}

// ReceiveRename renames a file or a tree of the FS from into this one.
func (q *FS) ReceiveRename(ctx context.Context, from storage.FS, r storage.Renaming) error {
	if err := q.ready(ctx); err != nil {
		return err
	}
	r.Into = q.FS
	if r.Swap {
		return r.Failed(errors.ErrUnsupported)
	}
	var size int64
	err := storage.EachFile(ctx, from, r.Old, func(_ string, info fs.FileInfo) { size += sizeOf(info) })
	if err != nil {
		return err
	}
	to := storage.Clean(r.New)
	q.gate.RLock()
	defer q.gate.RUnlock()
	defer q.entries.lock(to, to)()
	if !q.account.reserve(size) {
		return exceeded(r.New)
	}
	old := sizeOf(q.entry(ctx, to))
	if err := storage.RenameWith(ctx, from, r); err != nil {
		q.account.release(size)
		return err
	}
	q.account.movedIn(to, size, old)
	return nil
}

// movedIn says that a tree of size bytes, which were reserved, has appeared as name, in place
// of a file of old bytes.
func (a *account) movedIn(name string, size, old int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.removedLocked(name, old)
	a.reserved -= size
	a.addLocked(name, size)
	if a.recount != nil {
		a.recount.take(name) // The tree is like the collection that contains it.
	}
}
