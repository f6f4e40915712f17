package storage

import (
	"context"
	"io/fs"
)

// Lstater is an [FS] that can describe a symbolic link itself.
type Lstater interface {
	FS

	// Lstat is Stat, except that it describes a symbolic link (Mode has
	// fs.ModeSymlink) instead of following it.
	Lstat(ctx context.Context, name string) (fs.FileInfo, error)
}

// Lstat describes name without following it when it is a symbolic link.
// Without a [Lstater] it is Stat.
func Lstat(ctx context.Context, fsys FS, name string) (fs.FileInfo, error) {
	if l, ok := fsys.(Lstater); ok {
		return l.Lstat(ctx, name)
	}
	return fsys.Stat(ctx, name)
}
