package local

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/davd/davd/storage"
)

// purpose says whether a call reads or writes. It is the error for an entry that the link
// policy puts off limits: missing for a reader, forbidden for a writer.
type purpose error

var (
	reading purpose = fs.ErrNotExist
	writing purpose = fs.ErrPermission
)

// failed returns err as an *fs.PathError, or nil for nil. name must be the name that the
// caller of the FS used.
func (f *FS) failed(op, name string, err error, why purpose) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: f.meaning(err, why)}
}

// meaning returns the cause of err. If the system's error differs from what package
// storage requires, meaning makes it match that too.
func (f *FS) meaning(err error, why purpose) error {
	err = storage.Cause(err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, f.escape), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENXIO):
		return fmt.Errorf("%w: %w", why, err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w", fs.ErrPermission, err)
	}
	return err
}
