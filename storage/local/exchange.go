package local

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/davd/davd/storage"
)

// RenameWith swaps two names in one step, or renames to another directory that is a *FS
// on the same filesystem. If a name is a symbolic link, it moves the link itself. It
// returns errors.ErrUnsupported on other systems than Linux and on filesystems that can't
// do it, and fs.ErrInvalid if one of the two names is below the other.
func (f *FS) RenameWith(ctx context.Context, r storage.Renaming) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	into, ok := f.beside(r.Into)
	switch {
	case !ok:
		return r.Failed(errors.ErrUnsupported)
	case into == f && !r.Swap && !r.Vacant:
		return r.Failed(f.rename(r.Old, r.New))
	}
	return r.Failed(f.renameWith(r, into))
}

func (f *FS) renameWith(r storage.Renaming, into *FS) error {
	from, fromOK := localName(r.Old)
	to, toOK := localName(r.New)
	switch {
	case !fromOK || !toOK:
		return fs.ErrNotExist
	case from == rootName || to == rootName:
		return fs.ErrPermission
	case into == f && (below(from, to) || below(to, from)):
		return fs.ErrInvalid
	}
	f.follow(from, into, to)
	if r.Swap {
		into.follow(to, f, from)
	} else if info, err := into.root.Lstat(to); err == nil && (info.IsDir() || r.Vacant) {
		return fs.ErrExist // as with Rename
	}
	defer f.short.forget()
	defer into.short.forget()
	err := f.renameLocal(from, into, to, r)
	if errors.Is(err, errors.ErrUnsupported) {
		return errors.ErrUnsupported
	}
	return f.meaning(err, writing)
}

// below reports whether local is in the collection dir, at any depth.
func below(local, dir string) bool {
	return strings.HasPrefix(local, dir+string(filepath.Separator))
}
