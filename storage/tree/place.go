package tree

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// placement puts a tree at the destination of an operation, in one step.
type placement struct {
	record
	mon   *Monitor
	count *count
	held  storage.Held // the parent collection of the destination; nil before it is needed
	// staging tells the FS which name the staged tree will get.
	staging *storage.Staging
}

// place puts the finished tree stage at the destination. It returns the name that the
// previous content of the destination has now; "" if there was none or it is already
// removed. If place fails, stage is gone and the destination is as it was, unless
// rebuild had already begun to remove it.
func (p *placement) place(ctx context.Context, stage string) (displaced string, err error) {
	if err := ctx.Err(); err != nil {
		return "", p.rollBack(ctx, err)
	}
	// From here on the operation must not be cancelled: neither between two renames nor
	// before it has removed what it displaced.
	ctx = context.WithoutCancel(ctx)
	p.count.displace()
	info, err := storage.Lstat(ctx, p.FS, stage)
	if err == nil {
		displaced, err = p.put(ctx, stage, info)
	}
	if immovable(err) {
		displaced, err = p.rebuild(ctx)
	}
	if err != nil && !done(err) {
		return "", p.rollBack(ctx, err)
	}
	return displaced, err
}

// put renames from, which info describes, to the destination. It returns the name that
// the previous content of the destination has now; "" if there was none. If put fails,
// both are as they were.
func (p *placement) put(ctx context.Context, from string, info fs.FileInfo) (displaced string, err error) {
	dst := p.entry.Destination
	old, err := p.look(ctx, dst)
	if err != nil {
		return "", err
	}
	// One rename suffices: rename(2) replaces a file. But it does nothing if both names
	// are hard links to the same file.
	direct := old == nil || !old.IsDir() && !info.IsDir() && !storage.SameFile(old, info)
	// No further record is needed if one rename completes the operation. If Recover
	// then finds no staged copy, nothing remains to be done.
	if !direct || p.follows || p.entry.copied() {
		p.entry.Fresh, p.entry.Old = mark(info), mark(old)
		if err := p.advance(ctx, Placing); err != nil {
			return "", err
		}
	}
	if direct {
		return "", p.FS.Rename(ctx, from, dst)
	}
	p.hold(ctx)
	displaced, err = p.exchange(ctx, from)
	if immovable(err) {
		return p.rename(ctx, from)
	}
	return displaced, err
}

// look describes name. It returns nil, nil if name does not exist.
func (p *placement) look(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := storage.Lstat(ctx, p.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return info, err
}

// exchange lets from and the destination change places, which is the commit, and gives
// the displaced tree a reserved name. It requires two different identities, so that
// Recover can tell after a crash whether the exchange has happened.
func (p *placement) exchange(ctx context.Context, from string) (displaced string, err error) {
	e := p.entry
	if e.Fresh == e.Old || e.Fresh == "" || e.Old == "" {
		return "", errors.ErrUnsupported
	}
	if err := storage.Exchange(ctx, p.FS, from, e.Destination); err != nil {
		return "", err
	}
	if e.Stage == "" && p.FS.Rename(ctx, from, e.Displaced) == nil {
		return e.Displaced, nil
	}
	return from, nil // It can be removed under its current name.
}

// rename gives the content of the destination a reserved name and renames from to the
// destination, which is the commit.
func (p *placement) rename(ctx context.Context, from string) (displaced string, err error) {
	dst, displaced := p.entry.Destination, p.entry.Displaced
	if err := p.FS.Rename(ctx, dst, displaced); err != nil {
		return "", err
	}
	if err := p.FS.Rename(ctx, from, dst); err != nil {
		if backErr := p.FS.Rename(ctx, displaced, dst); backErr != nil {
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
func (p *placement) rebuild(ctx context.Context) (leftover string, err error) {
	stage, dst := p.entry.Stage, p.entry.Destination
	info, err := p.FS.Stat(ctx, stage)
	if err == nil {
		err = p.advance(ctx, Rebuilding)
	}
	if err != nil {
		return "", err
	}
	if err := p.discardDisplaced(ctx, dst); err != nil {
		return "", err
	}
	// An overlay filesystem refuses to rename a collection of its lower layer, but not
	// one that was created since.
	if err := p.FS.Rename(ctx, stage, dst); !immovable(err) {
		return "", err
	}
	c := &copier{Engine: p.Engine, ctx: ctx, links: true} // no Monitor: p.mon has counted these already
	err = c.copy(newRoot(stage, info), dst, Infinite)
	if err == nil {
		err = c.failures.first()
	}
	if err != nil {
		return "", errors.Join(err, p.Engine.discard(ctx, dst, nil, nil))
	}
	if err := p.insist(func() error { return p.advance(ctx, Placed) }); err != nil {
		// The record still says Rebuilding, so the staged copy must stay: if it were
		// removed only in part, Recover would take it for a complete one.
		return "", &LeftoverError{Name: stage, Err: err}
	}
	return stage, nil
}
