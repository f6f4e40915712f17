package local

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/davd/davd/storage"
)

// rootName is the local name of "/".
const rootName = "."

// localName returns name as os.Root wants it: relative, with the separators of
// this system. It returns false for a name that no file here can have.
func localName(name string) (string, bool) {
	name = strings.TrimPrefix(storage.Clean(name), "/")
	if name == "" {
		return rootName, true
	}
	if filepath.Separator == '/' {
		// Not filepath.Localize, which wants UTF-8: here, names are bytes.
		return name, !strings.Contains(name, "\x00")
	}
	local, err := filepath.Localize(name)
	return local, err == nil
}

// memberName is localName for the last segment of a name. It returns false for
// what is none: it must not lead out of its collection.
func memberName(segment string) (string, bool) {
	local, ok := localName(segment)
	return local, ok && local != rootName && path.Base(storage.Clean(segment)) == segment
}
