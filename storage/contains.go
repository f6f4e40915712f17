package storage

import "strings"

// Contains reports whether the tree outer holds the name inner: they are the
// same, or inner is below outer. Both are clean.
func Contains(outer, inner string) bool {
	rest, found := strings.CutPrefix(inner, outer)
	return found && (rest == "" || rest[0] == '/') || outer == "/"
}

// Overlap reports whether a and b are the same or one contains the other.
func Overlap(a, b string) bool { return Contains(a, b) || Contains(b, a) }
