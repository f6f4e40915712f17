package local

import "time"

// setTimes sets the modification time of name and leaves its access time unchanged. The
// zero time changes nothing.
//
// Package os computes in nanoseconds since 1970, which overflow before 1678 and after 2262
// and would set a wrong century. For such times setTimes uses another call, or returns
// errors.ErrUnsupported if the system has none. A filesystem with a shorter range stores its
// first or last second instead, so the caller must check the result.
func setTimes(dir access, name string, modified time.Time) error {
	if modified.IsZero() || inNanoseconds(modified) {
		return dir.Chtimes(name, time.Time{}, modified)
	}
	return setFarTime(dir, name, modified)
}

// inNanoseconds reports whether t can be expressed in nanoseconds since 1970.
func inNanoseconds(t time.Time) bool { return time.Unix(0, t.UnixNano()).Equal(t) }
