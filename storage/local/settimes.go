package local

import (
	"io/fs"
	"os"
	"time"
)

// timed is the part of an [access] or an *os.Root that sets times.
type timed interface {
	Chtimes(name string, accessed, modified time.Time) error
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
}

// setTimes sets the modification time of name, and leaves its access time. The
// zero time changes nothing.
//
// Package os computes in nanoseconds since 1970, which overflow in 1678 and 2262,
// and would set another century then. setTimes returns errors.ErrUnsupported
// where it can't do better. A filesystem with a shorter range sets its first or
// last second instead: the caller has to look.
func setTimes(dir timed, name string, modified time.Time) error {
	if modified.IsZero() || inNanoseconds(modified) {
		return dir.Chtimes(name, time.Time{}, modified)
	}
	return setFarTime(dir, name, modified)
}

// inNanoseconds reports whether t is what its nanoseconds since 1970 say.
func inNanoseconds(t time.Time) bool { return time.Unix(0, t.UnixNano()).Equal(t) }
