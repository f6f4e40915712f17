package names

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/davd/davd/storage"
)

// refusal is the reason why an operation has changed nothing. Other errors are those of the
// database. It doesn't unwrap, because a database would take some reasons, such as a syscall.Errno,
// for its own failure, and try again.
type refusal struct {
	error

	foreign bool // it goes to the caller as it is
}

func refuse(reason error) error { return refusal{error: reason} }

var (
	errMissing = refuse(fs.ErrNotExist)
	errExists  = refuse(fs.ErrExist)
	// errRaced says that the names have changed at an unfortunate moment. Then f of Space.change is
	// called again.
	errRaced = refuse(fmt.Errorf("%w: the names are being changed", storage.ErrUnavailable))
)

// failed returns the error of an operation on name for the caller.
func (s *Space) failed(op, name string, err error) error {
	if err == nil {
		return nil
	}
	r, refused := errors.AsType[refusal](err)
	switch {
	case refused && r.foreign:
		return r.error
	case refused:
		err = r.error
	default:
		err = s.db.Failed("using the names of files in the database", err)
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
