package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
)

// stat is FileSystem.Stat, except that what is below a file is not there, for
// which some backends, webdav.NewMemFS among them, have words of their own.
func (h *Handler) stat(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := h.FileSystem.Stat(ctx, name)
	if errors.Is(err, fs.ErrInvalid) && h.belowFile(ctx, name) {
		err = &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return info, err
}

// occupant describes what is at name, nil if there is nothing.
func (h *Handler) occupant(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := h.stat(ctx, name)
	if statusOf(err) == http.StatusNotFound {
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
