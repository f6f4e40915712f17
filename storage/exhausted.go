package storage

import (
	"errors"
	"slices"
	"syscall"
)

// ErrTooDeep says that a backend does not make a collection because too many others
// contain it: what is below it would take the square of its depth in time.
var ErrTooDeep = errors.New("collections are nested too deeply for this storage")

// OutOfFiles reports whether err says that the process, or the system, can't open
// another file until one is closed. The same call may succeed a moment later.
func OutOfFiles(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && slices.Contains(outOfFilesErrnos, errno)
}
