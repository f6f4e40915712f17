package dav

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// Recover finishes or undoes every COPY, MOVE and DELETE that a process has left
// when it died, as Journal says, with its dead properties and locks, and releases the
// locks of resources that a LOCK was to make, and had not yet. If Journal is a
// [storage.StrayKeeper] as well, it removes what PUT and PATCH have left, and notes
// there from then on what they would leave. It is to be
// called once, before the first request. After an error nothing was dropped, and
// it may be called again; without that, nothing should be served.
//
// What History says to be under way ends with that, too: it is interrupted.
//
// A Handler that is ReadOnly changes nothing: it leaves all in the Journal.
func (h *Handler) Recover(ctx context.Context) (recovered []tree.Recovery, err error) {
	if h.ReadOnly {
		return nil, nil
	}
	if h.Journal != nil {
		engine := h.engine(&claim{locks: h.locks()})
		engine.Persist = nil // After an error it is called again.
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

// sweep removes the stages of PUT and PATCH that a process has left when it died. What
// they were to become, nobody knows any more.
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
