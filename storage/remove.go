package storage

import (
	"context"
	"io/fs"
)

// Remover is an [FS] that can remove a single entry.
type Remover interface {
	FS

	// Remove removes name: a file, a symbolic link (never its target) or an empty
	// collection. For a collection with members it returns fs.ErrExist.
	Remove(ctx context.Context, name string) error
}

// Remove removes one entry: a file, a symbolic link or an empty collection. Without a
// [Remover] it checks that a collection has no members and calls RemoveAll. A member that
// is created between the two is lost.
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
