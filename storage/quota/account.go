package quota

import (
	"io/fs"
	"sync"
	"syscall"
)

// account contains all numbers of an FS.
type account struct {
	mu    sync.Mutex
	limit int64
	// used are the sizes of the files that a walk finds now. Those of open files are
	// as their record says.
	used int64
	// reserved are the bytes that no walk finds: content that isn't in place yet, and
	// what was written to an open file after its removal.
	reserved int64
	// unplaced are the names of files that a walk must skip, because their bytes are
	// in reserved.
	unplaced map[string]struct{}
	// open are the files that are open for writing.
	open map[string]*record
	// recount is the walk that is going on, or nil.
	recount *recount
}

// record is a file that is open for writing.
type record struct {
	// writing is held during a write, so that the order of the writes is that of the
	// changes of size.
	writing sync.Mutex

	// These belong to account.mu.
	name string
	size int64
	refs int
	// gone says that the file is no longer in the tree. extra is what has been written
	// since, in reserved.
	gone  bool
	extra int64
}

// exceeded is the error for name.
func exceeded(name string) error {
	return &fs.PathError{Op: "quota", Path: name, Err: syscall.EDQUOT}
}

func (a *account) usage() Usage {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Usage{Used: a.used, Pending: a.reserved, Limit: a.limit}
}

func (a *account) setLimit(limit int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limit = limit
}

// fitsLocked reports whether the limit allows n more bytes.
func (a *account) fitsLocked(n int64) bool {
	return n <= 0 || a.limit <= 0 || a.limit-a.used-a.reserved >= n
}

// reserve reserves n bytes, and reports whether the limit allows that.
func (a *account) reserve(n int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.fitsLocked(n) {
		return false
	}
	a.reserved += n
	return true
}

// release gives up n reserved bytes.
func (a *account) release(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reserved -= n
}

// addLocked adds n bytes to the file name, which a walk finds.
func (a *account) addLocked(name string, n int64) {
	a.used += n
	if a.recount != nil && a.recount.counted(name) {
		a.recount.found += n
	}
}

// replaced says that a file of size bytes has appeared as name, in place of one of old
// bytes, and that reserved bytes are no longer reserved.
func (a *account) replaced(name string, old, size, reserved int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reserved -= reserved
	a.removedLocked(name, old)
	a.addLocked(name, size)
}

// removed says that the file name, of size bytes, has been removed.
func (a *account) removed(name string, size int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.removedLocked(name, size)
}

func (a *account) removedLocked(name string, size int64) {
	if r := a.open[name]; r != nil {
		size = r.size
		r.gone = true
		delete(a.open, name)
	}
	a.addLocked(name, -size)
}

// hide makes walks skip name.
func (a *account) hide(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unplaced == nil {
		a.unplaced = make(map[string]struct{})
	}
	a.unplaced[name] = struct{}{}
}

// unplace says that the file name of size bytes, which a walk finds, has become hidden content of
// which kept bytes are left, so these are reserved.
func (a *account) unplace(name string, size, kept int64) {
	a.hide(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.addLocked(name, -size)
	a.reserved += kept
}

// placed says that the hidden file name is complete with size bytes, and that reserved
// bytes are no longer reserved. If it doesn't exist, size is 0.
func (a *account) placed(name string, size, reserved int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.unplaced, name)
	a.reserved -= reserved
	a.addLocked(name, size)
}

// lookup returns the record of name, or nil.
func (a *account) lookup(name string) *record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open[name]
}

// opened returns the record of name, which is open once more. The file had size bytes before
// that, unless it was open already. emptied says that opening it has made it empty.
func (a *account) opened(name string, size int64, emptied bool) *record {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.open[name]
	if r == nil {
		if a.open == nil {
			a.open = make(map[string]*record)
		}
		r = &record{name: name, size: size}
		a.open[name] = r
	}
	r.refs++
	if emptied {
		a.resizeLocked(r, -r.size)
	}
	return r
}

// closed says that r is open once less.
func (a *account) closed(r *record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.refs--
	if r.refs > 0 {
		return
	}
	a.reserved -= r.extra
	if !r.gone {
		delete(a.open, r.name)
	}
}

// grow makes r size bytes long if it is shorter, and returns how long it was. It reports
// whether the limit allows that.
func (a *account) grow(r *record, size int64) (was int64, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was = r.size
	if !a.fitsLocked(size - was) {
		return was, false
	}
	a.resizeLocked(r, max(size-was, 0))
	return was, true
}

// resize makes r size bytes long.
func (a *account) resize(r *record, size int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resizeLocked(r, size-r.size)
}

func (a *account) resizeLocked(r *record, n int64) {
	r.size += n
	if r.gone {
		r.extra += n
		a.reserved += n
		return
	}
	a.addLocked(r.name, n)
}

// size returns the size of r.
func (a *account) size(r *record) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return r.size
}

// name returns the present name of r, or its last one.
func (a *account) name(r *record) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return r.name
}
