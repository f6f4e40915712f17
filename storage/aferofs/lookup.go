package aferofs

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
)

// rootName is the backend's name of "/".
const rootName = string(filepath.Separator)

// backendName returns the clean form of name with the separators that afero
// uses on this system. It returns false for a name that would mean something
// else there.
func backendName(name string) (string, bool) {
	name = storage.Clean(name)
	if filepath.Separator == '/' {
		return name, !strings.Contains(name, "\x00")
	}
	if name == "/" {
		return rootName, true
	}
	local, err := filepath.Localize(name[1:])
	return rootName + local, err == nil
}

// baseName is the name by which a collection lists full, and "/" for the root.
func baseName(full string) string {
	if full == rootName {
		return "/"
	}
	return filepath.Base(full)
}

// find describes the file or the collection full. It is fs.ErrNotExist if it,
// or something on the way to it, is a link, or anything else.
func (f *FS) find(full string) (fs.FileInfo, error) {
	info, err := f.findEntry(full)
	if err == nil && offLimits(info) {
		return nil, fs.ErrNotExist
	}
	return info, err
}

// findEntry describes the entry full, be it a link. Everything on the way to
// it must be a collection.
func (f *FS) findEntry(full string) (fs.FileInfo, error) {
	lstater, ok := f.fs.(afero.Lstater)
	if !ok {
		return entry(f.fs.Stat(full))
	}
	for i := 1; i < len(full); i++ {
		if full[i] != filepath.Separator {
			continue
		}
		info, _, err := lstater.LstatIfPossible(full[:i])
		if err != nil {
			return entry(nil, err)
		}
		if !info.IsDir() {
			return nil, fs.ErrNotExist
		}
	}
	info, _, err := lstater.LstatIfPossible(full)
	return entry(info, err)
}

// entry makes the error of a look at an entry whose parent is none match
// fs.ErrNotExist.
func entry(info fs.FileInfo, err error) (fs.FileInfo, error) {
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return info, nil
}

// offLimits reports whether info is that of what is neither file nor
// collection, and may lead elsewhere, block or act when it is opened.
func offLimits(info fs.FileInfo) bool {
	return info.Mode()&(fs.ModeSymlink|fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice|fs.ModeCharDevice) != 0
}

// vacant returns nil if full can be made: it is not there and its parent is.
func (f *FS) vacant(full string) error {
	_, err := f.findEntry(full)
	if err == nil {
		return fs.ErrExist
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.hasParent(full)
}

// hasParent returns nil if what would hold full is a collection.
func (f *FS) hasParent(full string) error {
	info, err := f.find(filepath.Dir(full))
	if err == nil && !info.IsDir() {
		return fs.ErrNotExist
	}
	return err
}
