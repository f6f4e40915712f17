package dav

import (
	"context"
	"errors"

	"github.com/davd/davd/storage/tree"
)

// Recover cleans up after a crash. Call it once, before the first request.
//
// It finishes or undoes every COPY, MOVE and DELETE that the journal of State lists as unfinished,
// with its dead properties and locks. It releases locks whose LOCK had not created its
// resource yet. In the history, it marks operations that were running as interrupted.
//
// An error loses nothing: call Recover again, and serve no requests until it succeeds.
//
// If the Handler is ReadOnly, Recover does nothing and leaves the journal as it is.
func (h *Handler) Recover(ctx context.Context) (recovered []tree.Recovery, err error) {
	if h.ReadOnly {
		return nil, nil
	}
	if h.journal() != nil {
		engine := h.engine(&claim{locks: h.locks()})
		engine.Persist = nil // on an error, the caller tries again
		recovered, err = engine.Recover(ctx)
	}
	if err = errors.Join(err, h.noteInterrupted(ctx, recovered, err == nil)); err != nil {
		return recovered, err
	}
	released, err := h.releaseOrphans(ctx, recovered)
	return append(recovered, released...), err
}
