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
// [BirthTimer] it returns errors.ErrUnsupported. Where there is a description
// already, [Born] may save the call.
func BirthTime(ctx context.Context, fsys FS, name string) (time.Time, error) {
	if b, ok := fsys.(BirthTimer); ok {
		return b.BirthTime(ctx, name)
	}
	return time.Time{}, &fs.PathError{Op: "birthtime", Path: name, Err: errors.ErrUnsupported}
}

// Born returns when what info describes was made, the zero time if nobody has
// kept that. It reports false where info does not know and [BirthTime] may.
func Born(info fs.FileInfo) (time.Time, bool) {
	facts, ok := info.Sys().(Facts)
	if !ok {
		return time.Time{}, false
	}
	return facts.BirthTime(), true
}
