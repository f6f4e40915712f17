package storage

import (
	"context"
	"errors"
)

// TreeCopier is an [FS] that can copy a whole tree without reading its content. It has no symbolic
// links.
type TreeCopier interface {
	FS

	// CopyTree copies a tree. See the function [CopyTree].
	CopyTree(ctx context.Context, c TreeCopying) error
}

// TreeCopying says what [CopyTree] copies.
type TreeCopying struct {
	// From is a file or a collection. To doesn't exist, but its parent does. It is a reserved
	// name, because the tree grows there while it is copied.
	From, To string
	// ZeroDepth copies a collection without its members.
	ZeroDepth bool
	// Copied, if not nil, is called with how many members and bytes were copied since the last
	// call. Its error ends the copying.
	Copied func(members, bytes int64) error
}

// CopyTree copies the tree c.From, without the members that have reserved names, to c.To. Each
// copy has the content, the modification time and everything else that the backend stores with a
// file. After an error, a part of the tree may be left at c.To. Without a [TreeCopier], or if that
// can't copy this tree, the error is errors.ErrUnsupported, and nothing has changed: the caller
// copies the members one by one.
func CopyTree(ctx context.Context, fsys FS, c TreeCopying) error {
	if copier, ok := fsys.(TreeCopier); ok {
		return copier.CopyTree(ctx, c)
	}
	return errors.ErrUnsupported // bare, because callers meet it on the way to most backends
}

// TreeRemover is an [FS] that can remove a whole tree in one step.
type TreeRemover interface {
	FS

	// RemoveTree removes a tree. See the function [RemoveTree].
	RemoveTree(ctx context.Context, name string) error
}

// RemoveTree removes name and everything below it, in one step. The error matches fs.ErrNotExist
// if name doesn't exist. Without a [TreeRemover], or if that can't remove this tree, the error is
// errors.ErrUnsupported, and nothing has changed: the caller removes the members one by one.
func RemoveTree(ctx context.Context, fsys FS, name string) error {
	if remover, ok := fsys.(TreeRemover); ok {
		return remover.RemoveTree(ctx, name)
	}
	return errors.ErrUnsupported
}

// Transactor is an [FS] that stores names in the database of a state.
type Transactor interface {
	FS

	// Transacts reports whether the names at name are in the database of state. See the function
	// [Transacts].
	Transacts(ctx context.Context, name string, state any) bool
}

// Transacts reports whether fsys stores what is at name in the database of state, which is a
// dav.State. A change that is made with the context of a transaction of that database then
// belongs to the transaction (see cluster.Claim). Without a [Transactor] it returns false.
func Transacts(ctx context.Context, fsys FS, name string, state any) bool {
	t, ok := fsys.(Transactor)
	return ok && t.Transacts(ctx, name, state)
}
