package tree

import (
	"context"
	"fmt"
	"io/fs"
)

// placed reports whether the operation was committed. If it was, and the destination
// was not yet complete, placed completes it.
func (r *recovery) placed(ctx context.Context) (bool, error) {
	from, err := r.look(ctx, r.entry.from())
	if err != nil {
		return false, err
	}
	dst, err := r.look(ctx, r.entry.Destination)
	if err != nil {
		return false, err
	}
	switch {
	case r.entry.State == Placed:
		return true, r.is(dst != nil, r.entry.Destination)
	case r.entry.State == Rebuilding && from != nil:
		_, err := r.rebuild(ctx)
		return true, err
	case from == nil:
		return r.fromGone(ctx, dst)
	}
	return r.exchanged(ctx, from, dst)
}

// is returns nil if ok, and otherwise an errOther that names name.
func (r *recovery) is(ok bool, name string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s %w: if the share's disk is not mounted, mount it and start again", name, errOther)
}

// fromGone is placed for the case that the tree to be placed no longer exists under its
// own name. dst describes the destination; nil if that does not exist.
func (r *recovery) fromGone(ctx context.Context, dst fs.FileInfo) (bool, error) {
	if dst != nil {
		fresh := r.entry.Fresh == "" || mark(dst) == "" || mark(dst) == r.entry.Fresh
		return true, r.is(fresh, r.entry.Destination)
	}
	// The displaced tree could not be put back, and the staged copy was removed.
	displaced, err := r.look(ctx, r.entry.Displaced)
	if err != nil {
		return false, err
	}
	return false, r.is(displaced != nil && r.entry.Stage != "", r.entry.Destination)
}

// exchanged is placed for the case that the reserved name exists. It belongs to
// the tree to be placed or, after an exchange, to the displaced one.
func (r *recovery) exchanged(ctx context.Context, from, dst fs.FileInfo) (bool, error) {
	e := r.entry
	switch {
	case e.Fresh == "" || mark(from) == e.Fresh:
		displaced, err := r.look(ctx, e.Displaced)
		if err != nil {
			return false, err
		}
		return false, r.is(displaced == nil || dst == nil, e.Destination)
	case dst == nil || mark(dst) != e.Fresh || mark(from) != e.Old:
		return false, r.is(false, e.from())
	case e.Stage != "":
		return true, nil // The displaced tree is removed under the name of the staged copy.
	}
	return true, r.FS.Rename(ctx, e.Source, e.Displaced)
}
