package dav

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// checkOverlap refuses a COPY or MOVE whose source is, holds or is in its destination,
// whatever names they have (RFC 4918 §9.8.5, §9.9.4). The MOVE of a resource to another
// spelling of its name is none.
func (h *Handler) checkOverlap(ctx context.Context, t *transfer) error {
	t.respells = false
	src, dst := t.src, t.dst
	if storage.Overlap(src.name(), dst.name()) {
		return tree.ErrOverlap
	}
	if err := h.checkLinkOverlap(ctx, t); err != nil {
		return err
	}
	if !storage.Overlap(src.key, dst.key) {
		return nil
	}
	// A key may be that of two resources: only the storage knows whether it is here.
	outer, inner := src.name(), dst.name()
	if len(src.key) > len(dst.key) {
		outer, inner = inner, outer
	}
	inner = cutSegments(inner, strings.Count(inner, "/")-strings.Count(outer, "/"))
	same, err := h.sameEntry(ctx, outer, inner)
	switch {
	case err != nil:
		return err
	case !same:
		return nil
	case src.key == dst.key && !t.follow:
		t.respells = true
		return nil
	}
	return tree.ErrOverlap
}

// checkLinkOverlap refuses a source and a destination that lead to one resource, and to
// move a symbolic link into what it leads to: where the MOVE has to copy, it would copy
// that into itself.
func (h *Handler) checkLinkOverlap(ctx context.Context, t *transfer) error {
	src, dst := t.src, t.dst
	var err error
	if !t.follow {
		src, err = h.place(ctx, src.name(), true)
	}
	if err == nil {
		dst, err = h.place(ctx, dst.name(), true)
	}
	switch {
	case err != nil:
		return err
	case src.name() == t.src.name() && dst.name() == t.dst.name():
		return nil // No link is at the end of either.
	case src.name() == dst.name(), src.name() != t.src.name() && storage.Contains(src.key, t.dst.key):
		return tree.ErrOverlap
	}
	return nil
}

// sameEntry reports whether a and b, two names with one key, are one entry of a
// collection. A file system that folds names lists it once.
func (h *Handler) sameEntry(ctx context.Context, a, b string) (bool, error) {
	if a == b {
		return true, nil
	}
	for _, name := range []string{a, b} {
		if _, err := storage.Lstat(ctx, h.FileSystem, name); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return false, nil
			}
			return false, err
		}
	}
	folded := storage.Fold(path.Base(a))
	entries := 0
	for entry, err := range storage.ReadDir(ctx, h.FileSystem, path.Dir(a)) {
		if err != nil {
			return false, err
		}
		if storage.Fold(entry.Name()) == folded {
			entries++
		}
	}
	return entries == 1, nil
}

// respell gives the source of t the spelling of its destination. Locks and properties
// stay: their key is the same.
func (h *Handler) respell(ctx context.Context, t transfer) error {
	err := h.FileSystem.Rename(ctx, t.src.name(), t.dst.name())
	if err == nil {
		h.changedMembers(ctx, t.dst.name())
	}
	return err
}
