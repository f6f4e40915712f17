package tree

import (
	"context"
	"runtime"
	"time"
)

// slots bounds how many goroutines of all operations copy and remove at the
// same time. What every operation had for itself would, with eight of them,
// take the processors away from other requests. Those that wait are served in
// the order in which they came.
type slots chan struct{}

// processSlots is the bound for this process: more threads than processors
// gain nothing on a local disk, and eight are as many as its journal bears.
var processSlots = make(slots, min(max(runtime.GOMAXPROCS(0), 2), 8))

// Workers returns how many goroutines of all operations together copy and remove
// at the same time. Each may keep one of the runtime's processors busy in system
// calls, so a server that is to answer other requests meanwhile should have as
// many more (GOMAXPROCS).
func Workers() int { return cap(processSlots) }

// slotPatience is how long a slot is waited for at most. On a local disk one
// becomes free after milliseconds. When it takes longer, storage is slow or
// hangs: then it is not the processors that are scarce, and one share that does
// not answer must not stop the work on all others.
const slotPatience = time.Second

// slot is the right of one goroutine to work. The zero value is one that any
// goroutine has: of an operation that does all in its own.
type slot struct {
	of   slots
	held bool
}

// acquire waits for a free slot, for slotPatience at most, or until ctx ends.
func (s *slot) acquire(ctx context.Context) {
	if s.of == nil {
		return
	}
	select {
	case s.of <- struct{}{}:
		s.held = true
		return
	default:
	}
	patience := time.NewTimer(slotPatience)
	defer patience.Stop()
	select {
	case s.of <- struct{}{}:
		s.held = true
	case <-patience.C:
	case <-ctx.Done():
	}
}

func (s *slot) release() {
	if s.held {
		<-s.of
		s.held = false
	}
}

// yield lets one that waits go first.
func (s *slot) yield(ctx context.Context) {
	if s.held && len(s.of) == cap(s.of) {
		s.release()
		s.acquire(ctx)
	}
}
