package storage

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// ErrState says that locks and properties can't be kept at present: the disk that
// holds them fails or is read-only, or their file is gone. A full disk has an error of
// its own (NoSpace).
var ErrState = errors.New("the state of the server can't be kept at present")

// Cause strips err of the names that package os, or a backend, has put on it:
// what an *os.File knows is its path on the disk, which is no client's
// business. It returns nil for nil.
func Cause(err error) error {
	for {
		var path *fs.PathError
		var link *os.LinkError
		switch {
		case errors.As(err, &path):
			err = path.Err
		case errors.As(err, &link):
			err = link.Err
		default:
			return err
		}
	}
}

// Immovable reports whether err, from Rename or Exchange, says that these names
// can't be moved, and that copying may still work.
func Immovable(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EXDEV)
}
