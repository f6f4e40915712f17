package tree

import (
	"context"
	"path"

	"github.com/davd/davd/storage"
)

// hold opens the parent collection of the destination before anything is created there.
// Another process may rename that collection or replace it by a link, and the
// transaction must still find what it has created. If the storage can't hold
// collections, the transaction has to rely on names.
func (t *transaction) hold(ctx context.Context) {
	if t.held == nil {
		t.held, _ = storage.Hold(ctx, t.FS, path.Dir(t.entry.Destination))
	}
}

// discard removes name, which is beside the destination and no longer needed.
func (t *transaction) discard(ctx context.Context, name string) error {
	if err := t.Engine.discard(ctx, name); err != nil {
		return err
	}
	return t.removeHeld(ctx, name)
}

// removeHeld removes name from the held collection, which may have been renamed since.
func (t *transaction) removeHeld(ctx context.Context, name string) error {
	if t.held == nil {
		return nil
	}
	return t.held.RemoveAll(ctx, path.Base(name))
}

// release closes the held collection.
func (t *transaction) release() {
	if t.held != nil {
		_ = t.held.Close() // It was only read.
		t.held = nil
	}
}
