package local

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/davd/davd/storage"
)

// purpose is what a call was for. It decides what an entry that is off limits
// amounts to.
type purpose error

var (
	reading purpose = fs.ErrNotExist
	writing purpose = fs.ErrPermission
)

// failed returns err as an *fs.PathError with name, which must be what the
// caller of the FS knows, and nil for nil.
func (f *FS) failed(op, name string, err error, why purpose) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: f.meaning(err, why)}
}

// meaning returns the cause of err, made to match the error of package
// storage's contract where the system's own does not.
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
