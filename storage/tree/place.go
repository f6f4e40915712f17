package tree

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// place puts the finished tree stage at the destination. It returns the name that the
// previous content of the destination has now; "" if there was none or it is already
// removed. If place fails, stage is gone and the destination is as it was, unless
// rebuild had already begun to remove it.
func (t *transaction) place(ctx context.Context, stage string) (displaced string, err error) {
	if err := ctx.Err(); err != nil {
		return "", t.rollBack(ctx, err)
	}
	// From here on the operation must not be cancelled: neither between two renames nor
	// before it has removed what it displaced.
	ctx = context.WithoutCancel(ctx)
	t.count.displace()
	info, err := storage.Lstat(ctx, t.FS, stage)
	if err == nil {
		displaced, err = t.put(ctx, stage, info)
	}
	if immovable(err) {
		displaced, err = t.rebuild(ctx)
	}
	if err != nil && !done(err) {
		return "", t.rollBack(ctx, err)
	}
	if displaced == "" {
		t.count.displaced.leave(t.count.displaced.at)
	}
	return displaced, err
}

// done reports whether err says that the operation was carried out.
func done(err error) bool {
	var leftover *LeftoverError
	return errors.As(err, &leftover)
}

// put renames from, which info describes, to the destination. It returns the name that
// the previous content of the destination has now; "" if there was none. If put fails,
// both are as they were.
func (t *transaction) put(ctx context.Context, from string, info fs.FileInfo) (displaced string, err error) {
	dst := t.entry.Destination
	old, err := storage.Lstat(ctx, t.FS, dst)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		return "", err
	}
	// One rename suffices: rename(2) replaces a file. But it does nothing if both names
	// are hard links to the same file.
	direct := old == nil || !old.IsDir() && !info.IsDir() && !storage.SameFile(old, info)
	// No further record is needed if one rename completes the operation. If Recover
	// then finds no staged copy, nothing remains to be done.
	if !direct || t.follows || t.entry.copied() {
		t.entry.Fresh, t.entry.Old = mark(info), ""
		if old != nil {
			t.entry.Old = mark(old)
		}
		if err := t.advance(ctx, Placing); err != nil {
			return "", err
		}
	}
	if direct {
		return "", t.FS.Rename(ctx, from, dst)
	}
	t.hold(ctx)
	displaced, err = t.exchange(ctx, from)
	if immovable(err) {
		return t.rename(ctx, from)
	}
	return displaced, err
}

// exchange lets from and the destination change places, which is the commit, and gives
// the displaced tree a reserved name. It requires two different identities, so that
// Recover can tell after a crash whether the exchange has happened.
func (t *transaction) exchange(ctx context.Context, from string) (displaced string, err error) {
	e := t.entry
	if e.Fresh == e.Old || e.Fresh == "" || e.Old == "" {
		return "", errors.ErrUnsupported
	}
	if err := storage.Exchange(ctx, t.FS, from, e.Destination); err != nil {
		return "", err
	}
	if e.Stage == "" {
		err = t.FS.Rename(ctx, from, e.Displaced)
		displaced = e.Displaced
	}
	if e.Stage != "" || err != nil {
		displaced = from // It can be removed under its current name.
	}
	return displaced, nil
}

// rename gives the content of the destination a reserved name and renames from to the
// destination, which is the commit.
func (t *transaction) rename(ctx context.Context, from string) (displaced string, err error) {
	dst, displaced := t.entry.Destination, t.entry.Displaced
	if err := t.FS.Rename(ctx, dst, displaced); err != nil {
		return "", err
	}
	if err := t.FS.Rename(ctx, from, dst); err != nil {
		if backErr := t.FS.Rename(ctx, displaced, dst); backErr != nil {
			return "", &strandedError{dst: dst, displaced: displaced, err: errors.Join(err, backErr)}
		}
		return "", err
	}
	return displaced, nil
}

// rebuild replaces put if the backend can't rename the staged copy to the destination.
// It removes the content of the destination first. Until rebuild ends, the destination
// is incomplete, but both the staged copy and the source that it was made from are
// complete. It returns the name of the tree that must be removed afterwards.
func (t *transaction) rebuild(ctx context.Context) (leftover string, err error) {
	stage, dst := t.entry.Stage, t.entry.Destination
	info, err := t.FS.Stat(ctx, stage)
	if err == nil {
		err = t.advance(ctx, Rebuilding)
	}
	if err != nil {
		return "", err
	}
	if err := t.discardDisplaced(ctx, dst); err != nil {
		return "", err
	}
	// An overlay filesystem refuses to rename a collection of its lower layer, but not
	// one that was created since.
	if err := t.FS.Rename(ctx, stage, dst); !immovable(err) {
		return "", err
	}
	c := &copier{Engine: &t.Engine, ctx: ctx, links: true} // no Monitor: t.mon has counted these already
	err = c.copy(newCopied(stage, dst, info), Infinite)
	if err == nil {
		err = c.failures.first()
	}
	if err != nil {
		return "", errors.Join(err, t.Engine.discard(ctx, dst))
	}
	if err := t.insist(func() error { return t.advance(ctx, Placed) }); err != nil {
		// The record still says Rebuilding, so the staged copy must stay: if it were
		// removed only in part, Recover would take it for a complete one.
		return "", &LeftoverError{Name: stage, Err: err}
	}
	return stage, nil
}
