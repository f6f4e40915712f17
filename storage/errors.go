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

// ErrUnavailable says that the storage of a name can't be reached at present, for example
// because a disk is not mounted or another server doesn't answer. It may return by itself.
var ErrUnavailable = errors.New("the storage is not available at present")

// ErrTooDeep says that a backend refuses to create a collection because it would be
// nested too deeply. The time to work below it grows with the square of its depth.
var ErrTooDeep = errors.New("collections are nested too deeply for this storage")

// The errors of work on a whole tree.
var (
	// ErrOverlap says that source and destination are the same, or that one contains
	// the other. Nothing was changed.
	ErrOverlap = errors.New("source and destination overlap")
	// ErrLoop says that a symbolic link leads to a collection that contains the link,
	// so the members of that collection can't be copied.
	ErrLoop = errors.New("symbolic link to a collection that contains it")
	// ErrSourceChanged says that, during the copy, a file of the source became a
	// collection or a collection became a file.
	ErrSourceChanged = errors.New("the source changed from a file to a collection, or back, during the copy")
	// ErrTooManyMembers says that a walk did not enter a collection because it had
	// already found as many members as its limit allows.
	ErrTooManyMembers = errors.New("too many members")
	// ErrPartial says that some members failed while the rest was done. The error that
	// wraps it names them.
	ErrPartial = errors.New("some members failed")
)

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
