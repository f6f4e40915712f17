package tree

import (
	"context"
	"fmt"
	"io/fs"
)

// placed reports whether the operation was committed. If it was, and the destination
// was not yet complete, placed completes it.
func (t *recovery) placed(ctx context.Context) (bool, error) {
	from, err := t.look(ctx, t.entry.from())
	if err != nil {
		return false, err
	}
	dst, err := t.look(ctx, t.entry.Destination)
	if err != nil {
		return false, err
	}
	switch {
	case t.entry.State == Placed:
		return true, t.is(dst != nil, t.entry.Destination)
	case t.entry.State == Rebuilding && from != nil:
		return true, t.rebuildAgain(ctx)
	case from == nil:
		return t.fromGone(ctx, dst)
	}
	return t.exchanged(ctx, from, dst)
}

// is returns nil if ok, and otherwise an errOther that names name.
func (t *recovery) is(ok bool, name string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s %w: if the share's disk is not mounted, mount it and start again", name, errOther)
}

// fromGone is placed for the case that the tree to be placed no longer exists under its
// own name. dst describes the destination; nil if that does not exist.
func (t *recovery) fromGone(ctx context.Context, dst fs.FileInfo) (bool, error) {
	if dst != nil {
		fresh := t.entry.Fresh == "" || mark(dst) == "" || mark(dst) == t.entry.Fresh
		return true, t.is(fresh, t.entry.Destination)
	}
	// The displaced tree could not be put back, and the staged copy was removed.
	displaced, err := t.look(ctx, t.entry.Displaced)
	if err != nil {
		return false, err
	}
	return false, t.is(displaced != nil && t.entry.Stage != "", t.entry.Destination)
}

// exchanged is placed for the case that something has the name of the tree to be
// placed: that tree itself or, after an exchange, the displaced one.
func (t *recovery) exchanged(ctx context.Context, from, dst fs.FileInfo) (bool, error) {
	e := t.entry
	switch {
	case e.Fresh == "" || mark(from) == e.Fresh:
		displaced, err := t.look(ctx, e.Displaced)
		if err != nil {
			return false, err
		}
		return false, t.is(displaced == nil || dst == nil, e.Destination)
	case dst == nil || mark(dst) != e.Fresh || mark(from) != e.Old:
		return false, t.is(false, e.from())
	case e.Stage != "":
		return true, nil // The displaced tree is removed under the name of the staged copy.
	}
	return true, unfinished(t.FS.Rename(ctx, e.Source, e.Displaced))
}

// rebuildAgain makes the destination from the complete staged copy.
func (t *recovery) rebuildAgain(ctx context.Context) error {
	_, err := t.rebuild(ctx)
	return unfinished(err)
}
