package storage

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// ErrState says that locks and properties can't be stored at present: their disk fails
// or is read-only, or their file is missing. A full disk is a different error, which
// [NoSpace] reports.
var ErrState = errors.New("the server can't store locks and properties at present")

// Cause strips the names that package os or a backend has added to err. The names in
// errors of an *os.File are paths of the server's disk, which clients must not see. Cause
// returns nil for nil.
func Cause(err error) error {
	for {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		} else if link, ok := errors.AsType[*os.LinkError](err); ok {
			err = link.Err
		} else {
			return err
		}
	}
}

// Immovable reports whether err, from Rename or Exchange, says that these names can't be
// moved. Copying may still work.
func Immovable(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EXDEV)
}
