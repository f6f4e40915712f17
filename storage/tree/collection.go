package tree

import (
	"io/fs"
	"sync/atomic"
)

// A collection is one that an operation goes through, or a file that the operation must
// handle alone. It is done when the walker has left it and everything in it is done.
type collection struct {
	lineage
	above *collection // the collection that contains it; nil for the root
	// base is the last segment of its name; unused for the root. A collection doesn't
	// know its full name: the names in a chain of n collections would take n² bytes.
	base    string
	root    string       // the name of the root of the tree
	linked  bool         // it was reached through a symbolic link
	branch  *branch      // nil if everything in it is counted already
	pending atomic.Int64 // unfinished parts: the walker, batches and collections
	err     error        // why its members can't be copied or removed
	made    bool         // its copy exists
	kept    atomic.Bool  // a member could not be removed, and was reported
}

// newRoot returns the root of a tree.
func newRoot(name string, info fs.FileInfo) *collection {
	return &collection{root: name, lineage: lineage{info: info}}
}

// member returns the member entry of the collection, which info describes.
func (of *collection) member(entry, info fs.FileInfo) *collection {
	return &collection{
		lineage: lineage{info: info, parent: &of.lineage}, above: of, base: entry.Name(), root: of.root,
		linked: of.linked || entry.Mode()&fs.ModeSymlink != 0,
	}
}

func (of *collection) name() string { return of.path(of.root) }

// path returns the name of the collection if the root has the name root.
func (of *collection) path(root string) string {
	size := len(root)
	for at := of; at.above != nil; at = at.above {
		size += len("/") + len(at.base)
	}
	if size == len(root) {
		return root
	}
	name := make([]byte, size)
	copy(name, root)
	for at := of; at.above != nil; at = at.above {
		size -= len(at.base)
		copy(name[size:], at.base)
		size--
		name[size] = '/'
	}
	return string(name)
}

// add counts one more part of the collection. It does nothing above the root.
func (of *collection) add() {
	if of != nil {
		of.pending.Add(1)
	}
}

// keep says that a member could not be removed. It does nothing above the root.
func (of *collection) keep() {
	if of != nil {
		of.kept.Store(true)
	}
}

// leave says that one part of the collection is done. After the last part it calls finish
// for the collection, and then does the same for the collection above.
func (of *collection) leave(finish func(of *collection) error) error {
	for ; of != nil && of.pending.Add(-1) == 0; of = of.above {
		if err := finish(of); err != nil {
			return err
		}
	}
	return nil
}

// below returns the name of the member base of the collection name.
func below(name, base string) string {
	if name == "/" {
		return name + base
	}
	return name + "/" + base
}
