package tree

import (
	"context"
	"path"

	"github.com/davd/davd/storage"
)

// hold keeps hold of the collection that the destination is in, before anything is
// made beside the destination: another process may rename that collection, or put a
// link in its place, and what was made must be found again. Where that is not
// possible, names are all there is.
func (t *transaction) hold(ctx context.Context) {
	if t.held == nil {
		t.held, _ = storage.Hold(ctx, t.FS, path.Dir(t.entry.Destination))
	}
}

// discard removes name, which is beside the destination and of no use any more.
func (t *transaction) discard(ctx context.Context, name string) error {
	if err := discard(ctx, t.FS, name); err != nil {
		return err
	}
	return t.removeHeld(ctx, name)
}

// removeHeld removes name where it was made, if its collection has another name now.
func (t *transaction) removeHeld(ctx context.Context, name string) error {
	if t.held == nil {
		return nil
	}
	return t.held.RemoveAll(ctx, path.Base(name))
}

// release ends the hold.
func (t *transaction) release() {
	if t.held != nil {
		_ = t.held.Close() // It was only read.
		t.held = nil
	}
}
