package storage

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/net/webdav"
)

// Lstater is an [FS] that can describe a symbolic link itself.
type Lstater interface {
	FS

	// Lstat is like Stat, but describes a symbolic link itself (Mode contains
	// fs.ModeSymlink) instead of following it.
	Lstat(ctx context.Context, name string) (fs.FileInfo, error)
}

// Lstat describes name. If name is a symbolic link, it describes the link.
//
// Without a [Lstater], it calls os.Lstat for a webdav.Dir. For any other backend it calls
// Stat. If that finds a collection, Lstat also looks name up in the listing of its parent:
// if it is a symbolic link there, it must not be treated as a tree that may be deleted.
func Lstat(ctx context.Context, fsys FS, name string) (fs.FileInfo, error) {
	switch fsys := fsys.(type) {
	case Lstater:
		return fsys.Lstat(ctx, name)
	case webdav.Dir:
		return lstatDir(fsys, name)
	}
	info, err := fsys.Stat(ctx, name)
	if err != nil || !info.IsDir() || name == "/" {
		return info, err
	}
	for entry, err := range ReadDir(ctx, fsys, path.Dir(name)) {
		if err != nil {
			return nil, err
		}
		if entry.Name() == path.Base(name) && entry.Mode()&fs.ModeSymlink != 0 {
			return entry, nil
		}
	}
	return info, nil
}

func lstatDir(dir webdav.Dir, name string) (fs.FileInfo, error) {
	root := string(dir)
	if root == "" {
		root = "."
	}
	info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(Clean(name))))
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: Cause(err)}
	}
	return info, nil
}
