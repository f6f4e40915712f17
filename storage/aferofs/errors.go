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

// meanings are the errors of backends that do not match what they mean.
var meanings = []struct{ err, means error }{
	{syscall.EROFS, fs.ErrPermission},
	{afero.ErrFileClosed, fs.ErrClosed},
	{mem.ErrFileClosed, fs.ErrClosed},
	{afero.ErrOutOfRange, fs.ErrInvalid},
	{mem.ErrOutOfRange, fs.ErrInvalid},
}

// at returns err as an *fs.PathError with name, which must be what the caller
// of the FS knows, and nil for nil.
func at(op, name string, err error) error {
	err = cause(err)
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// cause strips err of the names that the backend has put on it, which may be
// of the disk, and makes it match what it means.
func cause(err error) error {
	err = storage.Cause(err)
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			return fmt.Errorf("%w: %w", m.means, err)
		}
	}
	return err
}
