package intercept

import (
	"context"
	"errors"

	"github.com/davd/davd/storage"
)

// CopyTree implements storage.TreeCopier, like the methods below for their capabilities.
func (h *hooked) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	return whole[storage.TreeCopier](ctx, h, "copytree", c.From, func() error { return storage.CopyTree(ctx, h.FS, c) })
}

func (h *hooked) RemoveTree(ctx context.Context, name string) error {
	return whole[storage.TreeRemover](ctx, h, "removetree", name, func() error { return storage.RemoveTree(ctx, h.FS, name) })
}

// Transacts is no call of the storage.
func (h *hooked) Transacts(ctx context.Context, name string, state any) bool {
	return storage.Transacts(ctx, h.FS, name, state)
}

// whole is does for the capability C. Without it, or if it can't be used for the tree, After isn't
// called: the members follow one by one.
func whole[C storage.FS](ctx context.Context, h *hooked, op, name string, call func() error) error {
	if _, ok := h.FS.(C); !ok {
		return errors.ErrUnsupported
	}
	if err := h.before(ctx, op, name); err != nil {
		return err
	}
	end := h.observe(op)
	err := call()
	if !errors.Is(err, errors.ErrUnsupported) {
		end()
	}
	return err
}
