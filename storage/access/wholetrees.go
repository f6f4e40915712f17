package access

import (
	"context"
	"errors"

	"github.com/davd/davd/storage"
)

// CopyTree implements storage.TreeCopier. If the principal lacks a right at any member, or can't see
// it, the error is errors.ErrUnsupported: then the members must be copied one by one.
func (a *FS) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	from, err := a.judge(ctx, c.From, true)
	if err != nil {
		return err
	}
	to, err := a.judgeNew(ctx, c.To, false)
	if err != nil {
		return err
	}
	if from.needTree("copytree", c.From, storage.RightsRead) != nil || to.needTree("copytree", c.To, storage.RightCreate) != nil {
		return errors.ErrUnsupported
	}
	return storage.CopyTree(ctx, a.FS, c)
}

// RemoveTree implements storage.TreeRemover. If the principal must not remove every member, the
// error is errors.ErrUnsupported: then the members must be removed one by one.
func (a *FS) RemoveTree(ctx context.Context, name string) error {
	v, err := a.judge(ctx, name, false)
	if err != nil {
		return err
	}
	if v.needTree("removetree", name, storage.RightDelete) != nil {
		return errors.ErrUnsupported
	}
	return storage.RemoveTree(ctx, a.FS, name)
}

// Transacts implements storage.Transactor. It needs no right, because it tells nothing of a tree.
func (a *FS) Transacts(ctx context.Context, name string, state any) bool {
	return storage.Transacts(ctx, a.FS, name, state)
}
