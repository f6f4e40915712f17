package dav

import (
	"context"

	"github.com/davd/davd/storage/tree"
)

// Recover finishes or undoes every COPY, MOVE and DELETE that a process has left
// when it died, as Journal says, with its dead properties and locks. It is to be
// called once, before the first request. After an error nothing was dropped, and
// it may be called again; without that, nothing should be served.
//
// A Handler that is ReadOnly changes nothing: it leaves all in the Journal.
func (h *Handler) Recover(ctx context.Context) ([]tree.Recovery, error) {
	if h.ReadOnly || h.Journal == nil {
		return nil, nil
	}
	return h.engine(&claim{locks: h.locks(), release: func() {}}).Recover(ctx)
}
