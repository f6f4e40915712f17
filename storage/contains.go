package storage

import "strings"

// Contains reports whether inner is outer or a name below it. Both names must be
// clean.
func Contains(outer, inner string) bool {
	rest, found := strings.CutPrefix(inner, outer)
	return found && (rest == "" || rest[0] == '/') || outer == "/"
}

// Overlap reports whether a and b are the same or one contains the other.
func Overlap(a, b string) bool { return Contains(a, b) || Contains(b, a) }

// Climbs reports whether the relative path leads above the root when it starts in a
// collection that is depth levels below it. Empty and "." segments stay in place.
func Climbs(depth int, path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return true
		}
	}
	return false
}
