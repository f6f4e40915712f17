package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"syscall"

	"github.com/davd/davd/dav/internal/status"
)

// stat is FileSystem.Stat, but returns fs.ErrNotExist in two more cases: for a name below
// a file, for which some backends, such as webdav.NewMemFS, have other errors, and for a
// name that is too long for the storage.
func (h *Handler) stat(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := h.FileSystem.Stat(ctx, name)
	if errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, fs.ErrInvalid) && h.belowFile(ctx, name) {
		err = &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return info, err
}

// occupant returns the resource at name, or nil if it does not exist.
func (h *Handler) occupant(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := h.stat(ctx, name)
	if status.Of(err) == http.StatusNotFound {
		return nil, nil
	}
	return info, err
}

func (h *Handler) belowFile(ctx context.Context, name string) bool {
	for name != "/" {
		name = path.Dir(name)
		if info, err := h.FileSystem.Stat(ctx, name); err == nil {
			return !info.IsDir()
		}
	}
	return false
}
