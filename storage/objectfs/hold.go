package objectfs

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/davd/davd/storage"
)

// Hold opens the collection name. Nothing but this FS renames collections, and the caller prevents
// that meanwhile, so the name is enough to find it again.
func (f *FS) Hold(ctx context.Context, name string) (storage.Held, error) {
	node, full, err := f.find(ctx, name)
	if err == nil && !node.Dir {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, at("open", name, err)
	}
	return &held{fs: f, name: full, id: node.ID}, nil
}

type held struct {
	fs   *FS
	name string
	id   int64
}

// Identity identifies the volume.
func (h *held) Identity() string { return "volume-" + h.fs.options.Names.Volume() }

// RemoveAll removes the member base and everything below it. If another collection has the name by
// now, it removes nothing.
func (h *held) RemoveAll(ctx context.Context, base string) error {
	if base == "" || base == "." || base == ".." || strings.Contains(base, "/") {
		return at("removeall", base, fs.ErrInvalid)
	}
	node, _, err := h.fs.find(ctx, h.name)
	if err == nil && node.ID != h.id {
		err = fs.ErrNotExist
	}
	if err != nil {
		return at("removeall", base, err)
	}
	err = h.fs.options.Names.Detach(ctx, path.Join(h.name, base), false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return at("removeall", base, err)
}

// Close does nothing.
func (h *held) Close() error { return nil }
