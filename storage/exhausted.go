package storage

import (
	"errors"
	"slices"
)

// ErrTooDeep says that a backend refuses to create a collection because it would be
// nested too deeply. The time to work below it grows with the square of its depth.
var ErrTooDeep = errors.New("collections are nested too deeply for this storage")

// OutOfFiles reports whether err says that the process or the system has too many open
// files. The same call may succeed a moment later.
func OutOfFiles(err error) bool {
	errno, ok := errnoOf(err)
	return ok && slices.Contains(outOfFilesErrnos, errno)
}
