package storage

import (
	"crypto/rand"
	"path"
	"strings"
	"unicode/utf8"
)

// ReservedPrefix begins every name that davd keeps for itself inside a share.
const ReservedPrefix = ".davd-"

// reservedDAV is ".DAV", folded: the collection in which Apache's mod_dav_fs keeps the properties of
// the one that holds it. A share that Apache has served has some, and a client
// that could write there would change what another server believes.
const reservedDAV = ".dav"

// Reserved reports whether any segment of name is one that no client may see,
// read, lock or write: what davd keeps for itself, ".davd-" and more; or what
// mod_dav_fs does, ".DAV". Both are reserved in every spelling that some file system
// may take for them ([Fold]), wherever the share is.
func Reserved(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if reservedSegment(segment) {
			return true
		}
	}
	return false
}

func reservedSegment(segment string) bool {
	if !mayBeDotted(segment) {
		return false
	}
	folded := Fold(segment)
	return folded == reservedDAV || strings.HasPrefix(folded, ReservedPrefix)
}

// mayBeDotted reports whether Fold may return something that starts with a dot. Most
// names need no more than this.
func mayBeDotted(segment string) bool {
	if segment == "" || segment[0] < utf8.RuneSelf {
		return strings.HasPrefix(segment, ".")
	}
	first, _ := utf8.DecodeRuneInString(segment)
	return foldRune(first) < 0
}

// Beside returns a reserved name that is not in use, in the collection that
// holds name: on a local disk, the same filesystem.
func Beside(name string) string {
	return path.Join(path.Dir(name), ReservedPrefix+strings.ToLower(rand.Text()))
}
