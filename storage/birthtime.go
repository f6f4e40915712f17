package storage

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// BirthTimer is an [FS] that knows when something was made.
type BirthTimer interface {
	FS

	// BirthTime returns when name, or what it links to, was made. It is
	// errors.ErrUnsupported where nobody has kept that.
	BirthTime(ctx context.Context, name string) (time.Time, error)
}

// BirthTime returns when name was made (RFC 4918 §15.1). Without a
// [BirthTimer] it returns errors.ErrUnsupported.
func BirthTime(ctx context.Context, fsys FS, name string) (time.Time, error) {
	if b, ok := fsys.(BirthTimer); ok {
		return b.BirthTime(ctx, name)
	}
	return time.Time{}, &fs.PathError{Op: "birthtime", Path: name, Err: errors.ErrUnsupported}
}
