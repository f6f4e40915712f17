package storage

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// TimeSetter is an [FS] that can set modification times.
type TimeSetter interface {
	FS

	// SetTimes sets the modification time of name. If the backend can't store
	// modified, it may store another time without an error.
	SetTimes(ctx context.Context, name string, modified time.Time) error
}

// SetTimes sets the modification time of name. Without a [TimeSetter] it
// returns errors.ErrUnsupported.
func SetTimes(ctx context.Context, fsys FS, name string, modified time.Time) error {
	if s, ok := fsys.(TimeSetter); ok {
		return s.SetTimes(ctx, name, modified)
	}
	return &fs.PathError{Op: "settimes", Path: name, Err: errors.ErrUnsupported}
}

// setTimesIfAny is SetTimes, but does nothing if the backend can't set times.
func setTimesIfAny(ctx context.Context, fsys FS, name string, modified time.Time) error {
	err := SetTimes(ctx, fsys, name, modified)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
