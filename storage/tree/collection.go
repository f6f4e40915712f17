package tree

import "sync/atomic"

// A collection is one that an operation goes through. It is done when the walker has left
// it and everything in it is done.
type collection struct {
	chain
	*lineage
	root    string       // the name of the root of the tree
	linked  bool         // it was reached through a symbolic link
	branch  *branch      // nil if everything in it is counted already
	pending atomic.Int64 // unfinished parts: the walker, batches and collections
}

func (of *collection) node() *collection { return of }

func (of *collection) name() string { return of.path(of.root) }

// add counts one more part of the collection: the walker, a batch, or a collection in
// it.
func (of *collection) add() { of.pending.Add(1) }
