package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/davd/davd/storage"
)

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

// lineage is a collection and those that hold it, up to where a walk began.
type lineage struct {
	info   fs.FileInfo
	parent *lineage
}

// loops reports whether the collection that entry, a member of l, leads to is
// l's own or one that holds it. Only a symbolic link can do that.
func (l *lineage) loops(entry, target fs.FileInfo) bool {
	if entry.Mode()&fs.ModeSymlink == 0 {
		return false
	}
	for ; l != nil; l = l.parent {
		if os.SameFile(l.info, target) {
			return true
		}
	}
	return false
}
