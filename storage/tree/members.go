package tree

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// member returns what becomes of entry in a copy: with links, a symbolic link
// itself, and else what a client sees in its place.
func member(ctx context.Context, fsys storage.FS, name string, entry fs.FileInfo, links bool) (fs.FileInfo, error) {
	if links && entry.Mode()&fs.ModeSymlink != 0 && !storage.Reserved(path.Base(name)) {
		return entry, nil
	}
	return follow(ctx, fsys, name, entry)
}

// follow returns what a client sees in place of entry, which may be a
// symbolic link. nil, nil: nothing; the entry is reserved, neither a file nor
// a collection, or a link that leads nowhere.
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

// lineage is a collection and those that hold it, up to the root.
type lineage struct {
	info   fs.FileInfo
	parent *lineage
}

// above returns the collections that hold name, which info describes; nil if
// the backend can't tell one from another, because it has no links either.
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

// loops reports whether the collection that info describes is l or one that
// holds it. A symbolic link, followed now or before, has led to it.
func (l *lineage) loops(info fs.FileInfo) bool {
	for ; l != nil; l = l.parent {
		if storage.SameFile(l.info, info) {
			return true
		}
	}
	return false
}
