package aferofs

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"

	"github.com/davd/davd/storage"
)

// meanings maps errors of backends that match no standard error to the error that they
// mean.
var meanings = []struct{ err, means error }{
	{syscall.EROFS, fs.ErrPermission},
	{afero.ErrFileClosed, fs.ErrClosed},
	{mem.ErrFileClosed, fs.ErrClosed},
	{afero.ErrOutOfRange, fs.ErrInvalid},
	{mem.ErrOutOfRange, fs.ErrInvalid},
}

// at returns err as an *fs.PathError with name, the name that the caller of the FS
// used. It returns nil for nil.
func at(op, name string, err error) error {
	err = cause(err)
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// cause removes from err the names that the backend has put into it, which may be names
// on disk, and makes it match the standard error that it means.
func cause(err error) error {
	err = storage.Cause(err)
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			return fmt.Errorf("%w: %w", m.means, err)
		}
	}
	return err
}
