package dav

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/storage"
)

// checkOverlap refuses a COPY or MOVE if the source and destination are the same
// resource, or one contains the other, under any of their names (RFC 4918 §9.8.5,
// §9.9.4). It allows a MOVE that only changes the spelling of a name, and sets
// t.respells for it.
func (t *transfer) checkOverlap(ctx context.Context) error {
	t.respells = false
	src, dst := t.src, t.dst
	if storage.Overlap(src.Name, dst.Name) {
		return storage.ErrOverlap
	}
	if err := t.checkLinkOverlap(ctx); err != nil {
		return err
	}
	if !storage.Overlap(src.Key, dst.Key) {
		return nil
	}
	// Two resources may have the same key, so ask the storage.
	outer, inner := src.Name, dst.Name
	if len(src.Key) > len(dst.Key) {
		outer, inner = inner, outer
	}
	inner = place.CutSegments(inner, strings.Count(inner, "/")-strings.Count(outer, "/"))
	same, err := sameEntry(ctx, t.h.FileSystem, outer, inner)
	switch {
	case err != nil:
		return err
	case !same:
		return nil
	case src.Key == dst.Key && !t.follow:
		t.respells = true
		return nil
	}
	return storage.ErrOverlap
}

// checkLinkOverlap refuses a source and destination that lead to the same resource
// through symbolic links. It also refuses to move a link into its own target: a MOVE
// that has to copy would copy the target into itself.
func (t *transfer) checkLinkOverlap(ctx context.Context) error {
	src, dst := t.src, t.dst
	var err error
	if !t.follow {
		src, err = t.h.names().Place(ctx, src.Name, true)
	}
	if err == nil {
		dst, err = t.h.names().Place(ctx, dst.Name, true)
	}
	switch {
	case err != nil:
		return err
	case src.Name == t.src.Name && dst.Name == t.dst.Name:
		return nil // neither name ends in a link
	case src.Name == dst.Name, src.Name != t.src.Name && storage.Contains(src.Key, t.dst.Key):
		return storage.ErrOverlap
	}
	return nil
}

// sameEntry reports whether a and b, two names with the same key, are one entry of a
// collection. They are if the collection lists only one name that folds to theirs.
func sameEntry(ctx context.Context, fsys storage.FS, a, b string) (bool, error) {
	if a == b {
		return true, nil
	}
	for _, name := range []string{a, b} {
		if _, err := storage.Lstat(ctx, fsys, name); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return false, nil
			}
			return false, err
		}
	}
	folded := storage.Fold(path.Base(a))
	entries := 0
	for entry, err := range storage.ReadDir(ctx, fsys, path.Dir(a)) {
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
// need no change, because the key is the same.
func (t *transfer) respell(ctx context.Context, c *claim) error {
	var err error
	if c.direct() {
		err = t.h.FileSystem.Rename(ctx, t.src.Name, t.dst.Name)
	} else {
		engine := t.h.engine(c, t.src, t.dst)
		engine.Follower = nil
		err = engine.Move(ctx, t.src.Name, t.dst.Name, nil)
	}
	if err == nil {
		t.h.changedMembers(ctx, c, t.dst.Name)
	}
	return err
}
