package aferofs

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
)

// rootName is the backend's name for "/".
const rootName = string(filepath.Separator)

// backendName returns the clean form of name with the separators that afero uses on
// this system. It returns false for a name that would have another meaning there.
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

// started returns backendName of name for a call that starts now, or the error of ctx.
// For a name that no file can have, it returns the error invalid.
func started(ctx context.Context, name string, invalid error) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	full, ok := backendName(name)
	if !ok {
		return "", invalid
	}
	return full, nil
}

// baseName returns the name that full has in a listing of its collection; "/" for the
// root.
func baseName(full string) string {
	if full == rootName {
		return "/"
	}
	return filepath.Base(full)
}

// find describes full, which must be a file or a collection. If it, or a segment before
// it, is a link or anything else, find returns fs.ErrNotExist.
func (f *FS) find(full string) (fs.FileInfo, error) {
	info, err := f.findEntry(full)
	if err == nil && offLimits(info) {
		return nil, fs.ErrNotExist
	}
	return info, err
}

// findEntry describes the entry full, which may be a link. Every segment before the
// last must be a collection.
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

// entry turns the error of an entry whose parent is not a collection into
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

// offLimits reports whether info describes neither a file nor a collection. Opening it
// could lead elsewhere, block, or have an effect.
func offLimits(info fs.FileInfo) bool {
	return info.Mode()&(fs.ModeSymlink|fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice|fs.ModeCharDevice) != 0
}

// vacant returns nil if full can be created: it does not exist and its parent does.
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

// hasParent returns nil if the parent of full is a collection.
func (f *FS) hasParent(full string) error {
	info, err := f.find(filepath.Dir(full))
	if err == nil && !info.IsDir() {
		return fs.ErrNotExist
	}
	return err
}
