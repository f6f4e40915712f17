package storage

import (
	"context"
	"errors"
	"io/fs"
)

// Holder is an [FS] that can hold on to a collection and find it again after another
// process has renamed it or put something else in its place.
type Holder interface {
	FS

	// Hold opens a collection. See the function [Hold].
	Hold(ctx context.Context, name string) (Held, error)
}

// Held is an open collection. The caller must call Close when it no longer needs it.
type Held interface {
	// RemoveAll removes the member base and everything below it. It returns nil if
	// the member doesn't exist.
	RemoveAll(ctx context.Context, base string) error
	Close() error
}

// Hold opens the collection name, so that the caller can remove a member with a reserved
// name later, even if the collection has been renamed. Without a [Holder] it returns
// errors.ErrUnsupported.
func Hold(ctx context.Context, fsys FS, name string) (Held, error) {
	if h, ok := fsys.(Holder); ok {
		return h.Hold(ctx, name)
	}
	return nil, &fs.PathError{Op: "hold", Path: name, Err: errors.ErrUnsupported}
}
