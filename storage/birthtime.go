package storage

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// BirthTimer is an [FS] that knows when files and collections were created.
type BirthTimer interface {
	FS

	// BirthTime returns when name was created. It follows a symbolic link. If the
	// time was not recorded, it returns errors.ErrUnsupported.
	BirthTime(ctx context.Context, name string) (time.Time, error)
}

// BirthTime returns when name was created (RFC 4918 §15.1). Without a
// [BirthTimer] it returns errors.ErrUnsupported. A caller that already has an
// fs.FileInfo should try [Born] first, which may save this call.
func BirthTime(ctx context.Context, fsys FS, name string) (time.Time, error) {
	if b, ok := fsys.(BirthTimer); ok {
		return b.BirthTime(ctx, name)
	}
	return time.Time{}, &fs.PathError{Op: "birthtime", Path: name, Err: errors.ErrUnsupported}
}

// Born returns the creation time that info contains, or the zero time if none was
// recorded. If it reports false, info doesn't contain one, but [BirthTime] may know it.
func Born(info fs.FileInfo) (time.Time, bool) {
	facts, ok := info.Sys().(Facts)
	if !ok {
		return time.Time{}, false
	}
	return facts.BirthTime(), true
}
