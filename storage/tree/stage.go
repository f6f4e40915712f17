package tree

import (
	"context"
	"errors"
	"path"

	"github.com/davd/davd/storage"
)

// stage returns a reserved name for the tree that will be put at the destination. The
// Journal has recorded the name when stage returns.
func (p *placement) stage(ctx context.Context) (string, error) {
	dst := p.entry.Destination
	p.entry.Stage, p.entry.Displaced = p.beside(dst), p.beside(dst)
	p.staging.Set(p.entry.Stage, dst)
	p.hold(ctx)
	if err := p.advance(ctx, Staging); err != nil {
		return "", errors.Join(err, p.end(ctx))
	}
	return p.entry.Stage, nil
}

// abandon ends an operation that failed with err before its staged copy was complete.
// If some of that copy could not be removed, the record stays for the next start.
func (p *placement) abandon(ctx context.Context, err error) error {
	ctx = context.WithoutCancel(ctx)
	if !p.written || p.Fence != nil {
		return err // With a Fence, the record ends with the claim.
	}
	if left, lookErr := p.look(ctx, p.entry.Stage); left != nil || lookErr != nil {
		return err
	}
	return errors.Join(err, p.end(ctx))
}

// rollBack removes the staged copy, if any, after the operation failed with err. The
// destination is as it was, unless rebuild had begun to remove it.
func (p *placement) rollBack(ctx context.Context, err error) error {
	ctx = context.WithoutCancel(ctx)
	if p.Fence != nil {
		return p.unstage(ctx, err) // It was not placed.
	}
	_, stranded := errors.AsType[*strandedError](err)
	switch {
	case stranded && p.entry.Stage == "":
		return err // The next start puts the displaced tree back.
	case stranded:
		return errors.Join(err, p.discard(ctx, p.entry.Stage)) // The next start puts the displaced tree back.
	case p.entry.Stage == "" && p.saved:
		// The record must go: otherwise Recover would take a later MOVE of the same
		// names for this one.
		return errors.Join(err, p.insist(func() error { return p.end(ctx) }))
	case p.entry.Stage == "":
		return errors.Join(err, p.end(ctx))
	}
	var undoErr error
	if p.entry.State != Staging {
		// Without this record, Recover would conclude from the missing staged copy that
		// it has been placed.
		undoErr = p.advance(ctx, Done)
	}
	if undoErr == nil {
		undoErr = p.discard(ctx, p.entry.Stage)
	}
	if undoErr == nil {
		undoErr = p.end(ctx)
	}
	return errors.Join(err, undoErr)
}

// unstage removes the stage of an operation that has failed with err before its commit.
func (p *placement) unstage(ctx context.Context, err error) error {
	left := p.discard(context.WithoutCancel(ctx), p.entry.Stage)
	if p.Fence != nil && passing(left) {
		left = &StagedError{Err: left}
	}
	return errors.Join(err, left)
}

// drop removes the displaced tree; there is none if displaced is "".
func (p *placement) drop(ctx context.Context, displaced string) error {
	if displaced == "" {
		p.count.displaced.gone()
		return nil
	}
	var err error
	if p.entry.State == Placed {
		err = p.Engine.discard(ctx, displaced, nil, nil) // This is the staged copy, which was already counted.
	} else {
		err = p.discardDisplaced(ctx, displaced)
	}
	if err == nil {
		err = p.removeHeld(ctx, displaced)
	}
	if err != nil {
		return &LeftoverError{Name: displaced, Err: err}
	}
	return nil
}

// discardDisplaced is discard for the previous content of the destination, at whatever
// name that is now. It counts the members.
func (p *placement) discardDisplaced(ctx context.Context, name string) error {
	var b *branch
	if p.count != nil {
		b = p.count.displaced
	}
	err := p.Engine.discard(ctx, name, p.mon, b)
	if err == nil {
		b.gone()
	}
	return err
}

// hold opens the parent collection of the destination before anything is created there.
// Another process may rename that collection or replace it by a link, and the
// operation must still find what it has created. If the storage can't hold
// collections, the operation has to rely on names.
func (p *placement) hold(ctx context.Context) {
	if p.held == nil {
		p.held, _ = storage.Hold(ctx, p.FS, path.Dir(p.entry.Destination))
	}
}

// discard removes name, which is beside the destination and no longer needed.
func (p *placement) discard(ctx context.Context, name string) error {
	if err := p.Engine.discard(ctx, name, nil, nil); err != nil {
		return err
	}
	return p.removeHeld(ctx, name)
}

// removeHeld removes name from the held collection, which may have been renamed since.
func (p *placement) removeHeld(ctx context.Context, name string) error {
	if p.held == nil {
		return nil
	}
	return p.held.RemoveAll(ctx, path.Base(name))
}

// release closes the held collection.
func (p *placement) release() {
	if p.held != nil {
		_ = p.held.Close() // It was only read.
		p.held = nil
	}
}
