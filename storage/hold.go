package storage

import (
	"context"
	"errors"
	"io/fs"
)

// Holder is an [FS] that can keep hold of a collection: it is found again when
// another process has renamed it, or has put something else in its place.
type Holder interface {
	FS

	// Hold does what the function of this name does.
	Hold(ctx context.Context, name string) (Held, error)
}

// Held is a collection that was opened. Close must be called when it is no longer
// needed.
type Held interface {
	// RemoveAll removes the member base, and all that is below it. No error says
	// that there is no such member.
	RemoveAll(ctx context.Context, base string) error
	Close() error
}

// Hold keeps hold of the collection name, so that a member with a reserved name can be
// removed wherever the collection is by then. Without a [Holder] it returns
// errors.ErrUnsupported.
func Hold(ctx context.Context, fsys FS, name string) (Held, error) {
	if h, ok := fsys.(Holder); ok {
		return h.Hold(ctx, name)
	}
	return nil, &fs.PathError{Op: "hold", Path: name, Err: errors.ErrUnsupported}
}
