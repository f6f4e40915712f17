package tree

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// member returns what a copy makes of entry. With links it returns a symbolic link
// itself; otherwise it returns what a client sees in place of entry.
func member(ctx context.Context, fsys storage.FS, name string, entry fs.FileInfo, links bool) (fs.FileInfo, error) {
	if links && entry.Mode()&fs.ModeSymlink != 0 && !storage.Reserved(path.Base(name)) {
		return entry, nil
	}
	return follow(ctx, fsys, name, entry)
}

// follow returns what a client sees in place of entry, which may be a symbolic link. It
// returns nil, nil if the client sees nothing: entry is reserved, is neither a file nor
// a collection, or is a link without a target.
func follow(ctx context.Context, fsys storage.FS, name string, entry fs.FileInfo) (fs.FileInfo, error) {
	if storage.Reserved(path.Base(name)) {
		return nil, nil
	}
	info := entry
	if entry.Mode()&fs.ModeSymlink != 0 {
		target, err := fsys.Stat(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		info = target
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return nil, nil
	}
	return info, nil
}

// lineage is a collection and the collections above it, up to the root.
type lineage struct {
	info   fs.FileInfo
	parent *lineage
}

// above returns the collections that contain name, which info describes. It returns nil
// if the backend can't compare files; such a backend has no links either.
func above(ctx context.Context, fsys storage.FS, name string, info fs.FileInfo) *lineage {
	if name == "/" || !info.IsDir() || !storage.SameFile(info, info) {
		return nil
	}
	dir := path.Dir(name)
	holder, err := fsys.Stat(ctx, dir)
	if err != nil {
		return nil
	}
	return &lineage{info: holder, parent: above(ctx, fsys, dir, holder)}
}

// loops reports whether the collection that info describes is l or one above l. Then a
// symbolic link has led to it, at this level or a higher one.
func (l *lineage) loops(info fs.FileInfo) bool {
	for ; l != nil; l = l.parent {
		if storage.SameFile(l.info, info) {
			return true
		}
	}
	return false
}
