package storage

import (
	"crypto/rand"
	"path"
	"strings"
	"unicode/utf8"
)

// ReservedPrefix starts every name that davd reserves for itself inside a share.
const ReservedPrefix = ".davd-"

// reservedDAV is ".DAV", folded: the collection for the properties that Apache's mod_dav_fs
// stores of the collection that contains it. A share that Apache has served has such
// collections, and a client that wrote there would change Apache's data.
const reservedDAV = ".dav"

// Reserved reports whether a segment of name is reserved. No client may see, read, lock
// or write such a name. Reserved segments are those that start with ".davd-", which davd
// uses, ".DAV", which mod_dav_fs uses, and names such as ".nfs00000000001a2b3c00000001", which an
// NFS client gives files that were removed while they are open. All spellings that any filesystem may treat
// as the same ([Fold]) are reserved, whatever filesystem the share is on.
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
	return folded == reservedDAV || strings.HasPrefix(folded, ReservedPrefix) || removedByNFS(folded)
}

// removedByNFS reports whether segment is ".nfs" and 24 hexadecimal digits (sillyrename of Linux).
func removedByNFS(segment string) bool {
	digits, ok := strings.CutPrefix(segment, ".nfs")
	return ok && len(digits) == 24 && strings.Trim(digits, "0123456789abcdef") == ""
}

// mayBeDotted reports whether Fold may return a string that starts with a dot. This
// quick check is enough for most names.
func mayBeDotted(segment string) bool {
	if segment == "" || segment[0] < utf8.RuneSelf {
		return strings.HasPrefix(segment, ".")
	}
	first, _ := utf8.DecodeRuneInString(segment)
	return foldRune(first) < 0
}

// Beside returns an unused reserved name in the collection that contains name. On a
// local disk, it is therefore on the same filesystem.
func Beside(name string) string {
	return path.Join(path.Dir(name), ReservedPrefix+strings.ToLower(rand.Text()))
}
