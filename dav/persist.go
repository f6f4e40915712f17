package dav

import (
	"context"
	"time"

	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/deadprops"
)

// Once a COPY, MOVE or DELETE has changed the share, the properties, locks and journal
// must follow. Room for them was reserved before (deadprops.Securer), so a full disk
// does not make them fail. But a disk can break, and another program can take the
// room. Then the operation waits and tries again. Meanwhile it keeps its claim, so
// that nothing can contradict its record in the journal, and sends no answer, so that
// no answer is untrue. If the process ends first, the record is still in the journal
// and Recover completes the operation.

const (
	// firstPersistPause is the pause after the first attempt. Each further pause is
	// twice as long, up to lastPersistPause.
	firstPersistPause = 10 * time.Millisecond
	lastPersistPause  = 5 * time.Second
	// persistNotice is the number of failed attempts between two log messages. The
	// first attempt that fails is always logged.
	persistNotice = 12
)

// persist returns a function that waits between two attempts to write the state of the
// operation with the claim c. The function returns false to give up, when the Handler
// shuts down. The names stay claimed even then.
func (h *Handler) persist(c *claim) func(attempt int, err error) bool {
	return func(attempt int, err error) bool {
		if attempt%persistNotice == 0 && h.OperationLogger != nil && c.about != nil {
			h.OperationLogger(c.about(), &unrecordedError{err})
		}
		pause := min(firstPersistPause<<min(attempt, 16), lastPersistPause)
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
			return true
		case <-h.registry().Halting():
			c.hold = &operation.Hold{} // releasing an empty hold leaves the names claimed
			return false
		}
	}
}

// unrecordedError is the reason why an operation can't end.
type unrecordedError struct{ err error }

func (e *unrecordedError) Error() string {
	return "the share has changed, but the server can't write its state and keeps trying: " + e.err.Error()
}

func (e *unrecordedError) Unwrap() error { return e.err }

// secure reserves room for the state that must follow the operation, until the claim
// is released.
func (f *follower) secure(ctx context.Context, source, destination string, locks int) error {
	release, err := deadprops.Secure(ctx, f.properties(), source, destination, locks)
	if err == nil {
		f.claim.secured = release
	}
	return err
}
