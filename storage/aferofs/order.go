package aferofs

import (
	"hash/maphash"
	"sync"
)

// order is the order of calls that check and then act. Backends leave out one
// or the other, and MemMapFs in particular: two calls that create a file each
// make one, and the later loses the content of the earlier; a Rename of what a
// Remove takes away ends the process; a collection that is renamed, or shrinks,
// while it is read is a data race or a panic.
type order struct {
	// tree is held to write while something is removed or renamed, and to
	// read while something is made or a collection read.
	tree sync.RWMutex

	// names are held, each for the names that fall to it, while something of
	// that name is made.
	names [64]sync.Mutex
}

var seed = maphash.MakeSeed()

// making excludes all that makes name or removes or renames anything, until
// the function that it returns is called.
func (o *order) making(name string) (done func()) {
	stripe := &o.names[maphash.String(seed, name)%uint64(len(o.names))]
	o.tree.RLock()
	stripe.Lock()
	return func() {
		stripe.Unlock()
		o.tree.RUnlock()
	}
}

// changing excludes all that makes, removes, renames or lists, until the
// function that it returns is called.
func (o *order) changing() (done func()) {
	o.tree.Lock()
	return o.tree.Unlock
}

// listing excludes all that removes or renames, until the function that it
// returns is called.
func (o *order) listing() (done func()) {
	o.tree.RLock()
	return o.tree.RUnlock
}
