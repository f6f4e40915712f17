package local

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/davd/davd/storage"
)

// Hold opens the collection name. Its members can be reached even after another process
// has moved it.
func (f *FS) Hold(ctx context.Context, name string) (storage.Held, error) {
	local, err := started(ctx, "open", name, fs.ErrNotExist)
	if err != nil {
		return nil, err
	}
	dir, err := f.openRoot(local)
	if err != nil {
		return nil, f.failed("open", name, err, writing)
	}
	return &held{fsys: f, name: name, dir: dir}, nil
}

type held struct {
	fsys *FS
	name string // the name when it was opened
	dir  *os.Root
}

// RemoveAll removes the member base and everything below it.
func (h *held) RemoveAll(ctx context.Context, base string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	local, ok := memberName(base)
	if !ok {
		return &fs.PathError{Op: "removeall", Path: base, Err: fs.ErrInvalid}
	}
	err := h.dir.RemoveAll(local)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return h.fsys.failed("removeall", base, err, writing)
}

// Close closes the collection.
func (h *held) Close() error { return h.dir.Close() }

// Identity identifies the directory that is served, also after a restart and on another
// mount point. It returns "" if the directory is on a filesystem in user space (FUSE) or on an
// overlay.
// Filesystems that are mounted inside the directory have no identity of their own.
func (h *held) Identity() string {
	info, err := h.fsys.byAccess(h.fsys.root.Stat, rootName)
	if err != nil {
		return ""
	}
	return storage.LastingIdentity(info)
}
