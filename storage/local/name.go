package local

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/davd/davd/storage"
)

// rootName is the local name of "/".
const rootName = "."

// localName returns name as os.Root requires it: relative, and with the separators of this
// system. It returns false for a name that no file on this system can have.
func localName(name string) (string, bool) {
	name = strings.TrimPrefix(storage.Clean(name), "/")
	if name == "" {
		return rootName, true
	}
	return localize(name)
}

// started returns localName of name for a call op that starts now, or the error of ctx. For
// a name that no file can have, the cause of the error is invalid.
func started(ctx context.Context, op, name string, invalid error) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	local, ok := localName(name)
	if !ok {
		return "", &fs.PathError{Op: op, Path: name, Err: invalid}
	}
	return local, nil
}

// localize is localName for a relative name that is clean.
func localize(name string) (string, bool) {
	if filepath.Separator == '/' {
		// Don't use filepath.Localize: it requires UTF-8, but names are bytes here.
		return name, !strings.Contains(name, "\x00")
	}
	local, err := filepath.Localize(name)
	return local, err == nil
}

// memberName is localName for the last segment of a name. It returns false for anything
// else, so that the result can't lead out of the collection.
func memberName(segment string) (string, bool) {
	if segment == "" || segment == "." || segment == ".." || strings.Contains(segment, "/") {
		return "", false
	}
	return localize(segment)
}
