package dav

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// Recover cleans up after a crash. Call it once, before the first request.
//
// It finishes or undoes every COPY, MOVE and DELETE that Journal lists as unfinished,
// with its dead properties and locks. It releases locks whose LOCK had not created its
// resource yet. If Journal is also a [storage.StrayKeeper], it removes temporary files
// of PUT and PATCH, and from then on records new ones there. In History, it marks
// operations that were running as interrupted.
//
// An error loses nothing: call Recover again, and serve no requests until it succeeds.
//
// If the Handler is ReadOnly, Recover does nothing and leaves the Journal as it is.
func (h *Handler) Recover(ctx context.Context) (recovered []tree.Recovery, err error) {
	if h.ReadOnly {
		return nil, nil
	}
	if h.Journal != nil {
		engine := h.engine(&claim{locks: h.locks()})
		engine.Persist = nil // on an error, the caller tries again
		recovered, err = engine.Recover(ctx)
	}
	if err = errors.Join(err, h.noteInterrupted(ctx, recovered, err == nil)); err != nil {
		return recovered, err
	}
	released, err := h.releaseOrphans(ctx, recovered)
	if err != nil {
		return recovered, err
	}
	swept, err := h.sweep(ctx)
	return slices.Concat(recovered, released, swept), err
}

// sweep removes the temporary files of PUT and PATCH that a crash left. They can't be
// completed.
func (h *Handler) sweep(ctx context.Context) ([]tree.Recovery, error) {
	swept, err := storage.Sweep(ctx, h.FileSystem, storage.StraysOf(h.Journal))
	undone := make([]tree.Recovery, 0, len(swept))
	for _, s := range swept {
		r := tree.Recovery{
			Entry:  tree.Entry{Method: http.MethodPut, State: tree.Staging, Source: s.Name, Stage: s.Name},
			Result: tree.Undone,
		}
		if s.Err != nil {
			r.Result, r.Err = tree.Left, s.Err
		}
		undone = append(undone, r)
	}
	return undone, err
}
