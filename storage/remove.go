package storage

import (
	"context"
	"io/fs"
)

// Remover is an [FS] that can remove a single entry.
type Remover interface {
	FS

	// Remove removes the file, the symbolic link (never its target) or the
	// empty collection name. A collection with members is fs.ErrExist.
	Remove(ctx context.Context, name string) error
}

// Remove removes one entry: a file, a symbolic link, an empty collection.
// Without a [Remover] it makes sure that a collection has no members and
// calls RemoveAll, so that a member made in between is lost.
func Remove(ctx context.Context, fsys FS, name string) error {
	if r, ok := fsys.(Remover); ok {
		return r.Remove(ctx, name)
	}
	info, err := Lstat(ctx, fsys, name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		for _, err := range ReadDir(ctx, fsys, name) {
			if err == nil {
				err = &fs.PathError{Op: "remove", Path: name, Err: fs.ErrExist}
			}
			return err
		}
	}
	return fsys.RemoveAll(ctx, name)
}
