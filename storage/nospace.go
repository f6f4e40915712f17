package storage

import (
	"slices"
)

// NoSpace reports whether err says that the backend has no room left on the disk or in
// a quota.
func NoSpace(err error) bool {
	errno, ok := errnoOf(err)
	return ok && slices.Contains(noSpaceErrnos, errno)
}

// TooLarge reports whether err says that a file would exceed the maximum size of the
// filesystem or the limit of the process, however much room is left.
func TooLarge(err error) bool {
	errno, ok := errnoOf(err)
	return ok && slices.Contains(tooLargeErrnos, errno)
}
