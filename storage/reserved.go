package storage

import (
	"crypto/rand"
	"path"
	"strings"
)

// reservedPrefix begins every name that davd keeps for itself inside a share.
const reservedPrefix = ".davd-"

// modDAV is the collection in which Apache's mod_dav_fs keeps the properties of
// the one that holds it. A share that Apache has served has some, and a client
// that could write there would change what another server believes.
const modDAV = ".DAV"

// Reserved reports whether any segment of name is one that no client may see,
// read, lock or write: what davd keeps for itself, ".davd-" and more in any
// case, since some filesystems fold it; or what mod_dav_fs does, ".DAV".
func Reserved(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		own := len(segment) >= len(reservedPrefix) && strings.EqualFold(segment[:len(reservedPrefix)], reservedPrefix)
		if own || segment == modDAV {
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
