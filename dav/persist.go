package dav

import (
	"context"
	"time"

	"github.com/davd/davd/storage/deadprops"
)

// Once a COPY, MOVE or DELETE has changed the share, properties, locks and the journal
// must follow. Room for them was set aside before (deadprops.Securer), so that a full
// disk is no reason to fail. A disk can still be broken, and another program can take the
// room. Then the operation waits and tries again. It has its claim all
// the time, so that nothing can change what the record in the journal says, and it
// has no answer, so that no answer is untrue. If the process ends before it succeeds,
// the record is still there, and Recover does the rest.

const (
	// firstPersistPause and lastPersistPause are how long is waited between two
	// attempts: each pause is twice as long as the one before it.
	firstPersistPause = 10 * time.Millisecond
	lastPersistPause  = 5 * time.Second
	// persistNotice is how often the log is told: at the first attempt, and then each
	// time that many have failed.
	persistNotice = 12
)

// persist returns what waits between two attempts to write what must be written for
// the operation that has c. It gives up when the Handler is shut down, and the claim is
// held even then.
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
		case <-h.operations.halting():
			c.hold = &hold{} // The names stay claimed.
			return false
		}
	}
}

// unrecordedError says why an operation can't end.
type unrecordedError struct{ err error }

func (e *unrecordedError) Error() string {
	return "the share is changed, but the state can't be written: the operation waits until it can: " + e.err.Error()
}

func (e *unrecordedError) Unwrap() error { return e.err }

// halting returns what is closed when Shutdown stops what is under way.
func (s *operations) halting() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.haltedLocked()
}

func (s *operations) haltedLocked() chan struct{} {
	if s.halted == nil {
		s.halted = make(chan struct{})
	}
	return s.halted
}

// halt ends the waiting of all that persist.
func (s *operations) halt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.haltedLocked():
	default:
		close(s.halted)
	}
}

// secure sets room aside for what will follow e, until the claim is released.
func (f *follower) secure(ctx context.Context, source, destination string, locks int) error {
	release, err := deadprops.Secure(ctx, f.properties(), source, destination, locks)
	if err == nil {
		f.claim.secured = release
	}
	return err
}
