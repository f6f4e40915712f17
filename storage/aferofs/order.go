package aferofs

import (
	"hash/maphash"
	"sync"
)

// order serializes calls that check first and then act. Some backends leave out the
// check or the lock. In a MemMapFs, two calls that create one file each create their
// own, and the content of the earlier one is lost. A Rename of a file that a Remove
// takes away ends the process. Renaming or shrinking a collection while it is read is a
// data race or a panic.
type order struct {
	// tree is locked for writing while something is removed or renamed. It is locked
	// for reading while something is created or a collection is read.
	tree sync.RWMutex

	// names is locked, at the index of the name's hash, while a file or collection of
	// that name is created.
	names [64]sync.Mutex
	seed  maphash.Seed
}

// making keeps other calls from creating name, and from removing or renaming anything,
// until its caller calls done.
func (o *order) making(name string) (done func()) {
	stripe := &o.names[maphash.String(o.seed, name)%uint64(len(o.names))]
	o.tree.RLock()
	stripe.Lock()
	return func() {
		stripe.Unlock()
		o.tree.RUnlock()
	}
}

// changing keeps other calls from creating, removing, renaming and listing anything
// until its caller calls done.
func (o *order) changing() (done func()) {
	o.tree.Lock()
	return o.tree.Unlock
}

// listing keeps other calls from removing and renaming anything until its caller calls
// done.
func (o *order) listing() (done func()) {
	o.tree.RLock()
	return o.tree.RUnlock
}
