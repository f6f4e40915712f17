package storage

import (
	"errors"
	"slices"
	"syscall"
)

// NoSpace reports whether err says that the backend has no room left on the disk or in
// a quota.
func NoSpace(err error) bool { return hasErrno(err, noSpaceErrnos) }

// TooLarge reports whether err says that a file would exceed the maximum size of the
// filesystem or the limit of the process, however much room is left.
func TooLarge(err error) bool { return hasErrno(err, tooLargeErrnos) }

// OutOfFiles reports whether err says that the process or the system has too many open
// files. The same call may succeed a moment later.
func OutOfFiles(err error) bool { return hasErrno(err, outOfFilesErrnos) }

// hasErrno reports whether the first error number of the system in the tree of err is one
// of errnos. Unlike errors.As, it allocates nothing as long as each error wraps at most one
// other.
func hasErrno(err error, errnos []syscall.Errno) bool {
	for err != nil {
		if errno, ok := err.(syscall.Errno); ok { //nolint:errorlint // the loop unwraps
			return slices.Contains(errnos, errno)
		}
		one, ok := err.(interface{ Unwrap() error })
		if !ok {
			errno, found := errors.AsType[syscall.Errno](err)
			return found && slices.Contains(errnos, errno)
		}
		err = one.Unwrap()
	}
	return false
}
