package storage

import (
	"context"
	"errors"
	"io/fs"
	"path"
)

// Holder is an [FS] that can hold on to a collection and find it again after another
// process has renamed it or put something else in its place, and that can tell whether
// another storage is served under its name after a restart.
type Holder interface {
	FS

	// Hold opens a collection. See the function [Hold].
	Hold(ctx context.Context, name string) (Held, error)
}

// Held is an open collection. The caller must call Close when it no longer needs it.
type Held interface {
	// Identity returns a short text that identifies the storage of the collection, such
	// as a disk, and stays the same after a restart. It returns "" if nothing identifies
	// the storage.
	Identity() string
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

// Identity returns the [Held.Identity] of the storage behind name, even if name doesn't exist.
// The journal keeps the identity of each side of an operation, so that recovery never
// touches another storage. Without a [Holder], the identity is "".
func Identity(ctx context.Context, fsys FS, name string) (string, error) {
	for {
		held, err := Hold(ctx, fsys, name)
		switch {
		case err == nil:
			return held.Identity(), held.Close()
		case errors.Is(err, errors.ErrUnsupported):
			return "", nil
		case name == "/" || !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
		name = path.Dir(name)
	}
}
