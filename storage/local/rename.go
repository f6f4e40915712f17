package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/davd/davd/storage"
)

// Rename renames oldName to newName. If oldName is a symbolic link, it renames the link. A
// file replaces a file in one step. Nothing replaces a collection, not even an empty one
// (fs.ErrExist), as with os.Rename. If newName is below oldName, it returns fs.ErrInvalid.
func (f *FS) Rename(ctx context.Context, oldName, newName string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.rename(oldName, newName); err != nil {
		return &os.LinkError{Op: "rename", Old: oldName, New: newName, Err: err}
	}
	return nil
}

func (f *FS) rename(oldName, newName string) error {
	from, ok := localName(oldName)
	if !ok {
		return fs.ErrNotExist
	}
	to, ok := localName(newName)
	if !ok {
		return fs.ErrInvalid
	}
	switch {
	case from == rootName || to == rootName:
		return fs.ErrPermission
	case from == to:
		_, err := f.root.Lstat(from)
		return f.meaning(err, writing)
	case below(to, from):
		return fs.ErrInvalid
	}
	f.follow(from, f, to)
	defer f.short.forget()
	err := storage.Cause(f.root.Rename(from, to))
	if errors.Is(err, fs.ErrExist) {
		if respelled := f.respell(from, to); !errors.Is(respelled, fs.ErrExist) {
			err = respelled
		}
	}
	if errors.Is(err, syscall.ENOTDIR) && f.inCollection(from) && f.inCollection(to) {
		return err // A collection can't replace a file; nothing is missing.
	}
	return f.meaning(err, writing)
}

// inCollection reports whether the parent of local is a collection.
func (f *FS) inCollection(local string) bool {
	info, err := f.root.Stat(filepath.Dir(local))
	return err == nil && info.IsDir()
}
