package tree

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"
)

// slots bounds how many goroutines of all operations walk, copy and remove at
// the same time. What every operation had for itself would, with eight of them,
// take the processors away from other requests. Those that wait are served in
// the order in which they came.
type slots struct {
	*semaphore.Weighted
	number int
}

func newSlots(number int) slots {
	return slots{Weighted: semaphore.NewWeighted(int64(number)), number: number}
}

// processSlots is the bound for this process: more threads than processors
// gain nothing on a local disk, and eight are as many as its journal bears.
var processSlots = newSlots(min(max(runtime.GOMAXPROCS(0), 2), 8))

// Workers returns how many goroutines of all operations together copy and remove
// at the same time. Each may keep one of the runtime's processors busy in system
// calls, so a server that is to answer other requests meanwhile should have as
// many more (GOMAXPROCS) while [OnBusy] says that there are any.
func Workers() int { return processSlots.number }

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

// yield lets those that wait go first.
func (s *slot) yield(ctx context.Context) {
	if s.held {
		s.release()
		s.acquire(ctx)
	}
}

// standBackAfter is how many steps make an operation a long one, which gives way
// to requests. A short one is not worth a thread of its own.
const standBackAfter = 2

// A pace is kept by a goroutine that works in steps of some milliseconds.
type pace struct {
	slot
	steps int
	long  func() // called when the operation turns out to be a long one
}

// next begins a step: with a slot, after those that wait for one.
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
