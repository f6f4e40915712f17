package dav

import (
	"context"
	"errors"

	"github.com/davd/davd/storage/tree"
)

// Recover finishes or undoes every COPY, MOVE and DELETE that a process has left
// when it died, as Journal says, with its dead properties and locks. It is to be
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
		recovered, err = h.engine(&claim{locks: h.locks()}).Recover(ctx)
	}
	return recovered, errors.Join(err, h.noteInterrupted(ctx, recovered, err == nil))
}
