package tree

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"
)

// slots limits how many goroutines of all operations walk, copy and remove at the same
// time. A limit for each operation would not suffice: eight operations together could
// take all processors from other requests. Goroutines get their slots in the order in
// which they began to wait.
type slots struct {
	*semaphore.Weighted
	number int
}

func newSlots(number int) slots {
	return slots{Weighted: semaphore.NewWeighted(int64(number)), number: number}
}

// processSlots is the limit for this process. On a local disk, more threads than
// processors gain nothing, and its journal can't keep more than eight busy.
var processSlots = newSlots(min(max(runtime.GOMAXPROCS(0), 2), 8))

// Workers returns how many goroutines of all operations together may copy and remove at
// the same time. Each may occupy one of the runtime's processors with system calls. So
// a server that must answer other requests meanwhile should raise GOMAXPROCS by this
// number while [OnBusy] reports true.
func Workers() int { return processSlots.number }

// slotPatience limits how long a goroutine waits for a slot. On a local disk one
// becomes free within milliseconds. If it takes longer, the storage is slow or hangs,
// so processors are not scarce. And a share that does not respond must not stop the
// work on all others.
const slotPatience = time.Second

// slot is the right of one goroutine to work. The zero value is for an operation that
// does everything in its own goroutine: it never waits.
type slot struct {
	of   slots
	held bool
}

// acquire waits for a free slot until slotPatience has passed or ctx ends. It may
// return without one.
func (s *slot) acquire(ctx context.Context) {
	if s.of.Weighted == nil || s.held {
		return
	}
	if s.held = s.of.TryAcquire(1); s.held {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, slotPatience)
	defer cancel()
	s.held = s.of.Acquire(ctx, 1) == nil
}

func (s *slot) release() {
	if s.held {
		s.of.Release(1)
		s.held = false
	}
}

// yield lets waiting goroutines go first.
func (s *slot) yield(ctx context.Context) {
	if s.held {
		s.release()
		s.acquire(ctx)
	}
}

// standBackAfter is the number of steps after which an operation counts as long and
// gives way to requests. A short operation is not worth a thread of its own.
const standBackAfter = 2

// pace is for a goroutine that works in steps of some milliseconds. It gives way to
// others between two steps.
type pace struct {
	slot
	steps int
	long  func() // called when the operation becomes a long one
}

// next begins a step, for which it waits for a slot. It yields to goroutines that
// already wait for one.
func (p *pace) next(ctx context.Context) {
	if p.steps++; p.steps == standBackAfter {
		standBack()
		p.long()
	}
	if p.held {
		p.yield(ctx)
	} else {
		p.acquire(ctx)
	}
}
