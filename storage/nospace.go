package storage

import (
	"errors"
	"slices"
	"syscall"
)

// NoSpace reports whether err says that the backend has no room left, on the
// disk or in a quota.
func NoSpace(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && slices.Contains(noSpaceErrnos, errno)
}

// TooLarge reports whether err says that a file would be larger than the filesystem,
// or a limit of the process, lets any be, however much room there is.
func TooLarge(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && slices.Contains(tooLargeErrnos, errno)
}
