package storage

import "strings"

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
