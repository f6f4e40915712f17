package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"

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
// mount point. It returns "" if the directory is on a filesystem in user space (FUSE).
// Filesystems that are mounted inside the directory have no identity of their own.
func (h *held) Identity() string {
	info, err := h.fsys.byAccess(h.fsys.root.Stat, rootName)
	if err != nil {
		return ""
	}
	return identity(info)
}

// identity identifies the directory that info describes. Its inode is not enough, because
// the top directories of many filesystems have the same. When it was created is different.
func identity(info fs.FileInfo) string {
	inode, ok := storage.LastingInode(info)
	if !ok {
		return ""
	}
	text := strconv.FormatUint(inode, 10)
	if born := storage.Born(info); !born.IsZero() {
		text += "-" + strconv.FormatInt(born.UnixNano(), 16)
	}
	return text
}
