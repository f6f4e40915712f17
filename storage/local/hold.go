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
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	local, ok := localName(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
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
