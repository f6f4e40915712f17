package storage

import (
	"crypto/rand"
	"path"
	"strings"
)

// reservedPrefix begins every name that davd keeps for itself inside a share.
const reservedPrefix = ".davd-"

// Reserved reports whether any segment of name is one that davd keeps for
// itself: ".davd-" and more, in any case, since some filesystems fold it. No
// client may see, read, lock or write such a name.
func Reserved(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if len(segment) >= len(reservedPrefix) && strings.EqualFold(segment[:len(reservedPrefix)], reservedPrefix) {
			return true
		}
	}
	return false
}

// Beside returns a reserved name that is not in use, in the collection that
// holds name: on a local disk, the same filesystem.
func Beside(name string) string {
	return path.Join(path.Dir(name), reservedPrefix+strings.ToLower(rand.Text()))
}
