package aferofs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Rename renames oldName, which may be a symbolic link, to newName. A file replaces a
// file, as atomically as the backend does it. Nothing replaces a collection, not even
// an empty one (fs.ErrExist), as with os.Rename. If newName is below oldName, the error
// is fs.ErrInvalid.
func (f *FS) Rename(ctx context.Context, oldName, newName string) error {
	if err := cause(f.rename(ctx, oldName, newName)); err != nil {
		return &os.LinkError{Op: "rename", Old: oldName, New: newName, Err: err}
	}
	return nil
}

func (f *FS) rename(ctx context.Context, oldName, newName string) error {
	from, err := started(ctx, oldName, fs.ErrNotExist)
	if err != nil {
		return err
	}
	to, ok := backendName(newName)
	switch {
	case !ok || strings.HasPrefix(to, from+rootName):
		return fs.ErrInvalid
	case from == rootName || to == rootName:
		return fs.ErrPermission
	}
	defer f.order.changing()()
	replaces, err := f.renamable(from, to)
	if err != nil || from == to {
		return err
	}
	err = f.fs.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		if _, lookErr := f.renamable(from, to); lookErr == nil {
			// In a CopyOnWriteFs, the parent is only in the base.
			return errors.ErrUnsupported
		}
	}
	if err != nil {
		return err
	}
	return f.whole(from, to, replaces)
}

// renamable returns nil if from can be renamed to to. replaces reports whether that
// replaces something.
func (f *FS) renamable(from, to string) (replaces bool, err error) {
	source, err := f.findEntry(from)
	if err != nil || from == to {
		return false, err
	}
	target, err := f.findEntry(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, f.hasParent(to)
	case err != nil:
		return false, err
	case os.SameFile(source, target):
		return true, nil // The filesystem treats both as one name.
	case target.IsDir():
		return false, fs.ErrExist
	case source.IsDir():
		return false, syscall.ENOTDIR
	}
	return true, nil
}

// whole returns nil if nothing is left at from after a rename. A CopyOnWriteFs renames
// only what is in its upper layer, and so splits a collection that is in both layers.
// If nothing was replaced, whole renames it back.
func (f *FS) whole(from, to string, replaced bool) error {
	left, err := f.findEntry(from)
	if err != nil {
		return nil //nolint:nilerr // It no longer exists, which is right.
	}
	if moved, err := f.findEntry(to); err == nil && os.SameFile(left, moved) {
		return nil // The filesystem treats both as one name.
	}
	if !replaced {
		return errors.Join(fs.ErrPermission, f.fs.Rename(to, from))
	}
	return fs.ErrPermission
}
