package storage

import (
	"errors"
	"syscall"
)

// errnoOf returns the first error number of the system in the tree of err. Unlike
// errors.As, it allocates nothing as long as each error wraps at most one other.
func errnoOf(err error) (syscall.Errno, bool) {
	for err != nil {
		if errno, ok := err.(syscall.Errno); ok { //nolint:errorlint // the loop unwraps
			return errno, true
		}
		one, ok := err.(interface{ Unwrap() error })
		if !ok {
			var errno syscall.Errno
			ok = errors.As(err, &errno)
			return errno, ok
		}
		err = one.Unwrap()
	}
	return 0, false
}
