package mount

import (
	"context"
	"errors"

	"github.com/davd/davd/storage"
)

// CopyTree implements storage.TreeCopier, for trees that are inside one share. Other trees may
// contain shares.
func (f *FS) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	from, err := f.below(ctx, "copytree", c.From)
	if err != nil {
		return err
	}
	defer from.release()
	to, err := f.inside(ctx, "copytree", c.To, true)
	if err != nil {
		return err
	}
	defer to.release()
	if from.node != nil || from.in != to.in {
		return errors.ErrUnsupported
	}
	c.From, c.To = from.name, to.name
	return failedBetween(storage.CopyTree(ctx, from.in.fsys, c), &from.spot, &to.spot)
}

// RemoveTree implements storage.TreeRemover. A tree with a share in it can't be removed.
func (f *FS) RemoveTree(ctx context.Context, name string) error {
	at, err := f.inside(ctx, "removetree", name, false)
	if err != nil {
		return err
	}
	defer at.release()
	return at.failed(storage.RemoveTree(ctx, at.in.fsys, at.name))
}

// Transacts implements storage.Transactor. state may be a State of f, which contains that of the
// shares.
func (f *FS) Transacts(ctx context.Context, name string, state any) bool {
	at, err := f.target(ctx, "transacts", name)
	if err != nil {
		return false
	}
	defer at.release()
	if s, ok := state.(*State); ok && s.of == f {
		state = s.Backing
	}
	return at.in != nil && !at.hidden && storage.Transacts(ctx, at.in.fsys, at.name, state)
}
