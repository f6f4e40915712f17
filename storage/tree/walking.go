package tree

import (
	"context"
	"sync"
	"time"

	"github.com/davd/davd/storage"
)

const (
	// firstStep and maxStep are how many members a step has. Between them it is as
	// many as take about as long as quickStep to slowStep. Where fewer are left they
	// are shared, down to minShare.
	firstStep = 8
	maxStep   = 128
	minShare  = 16
	quickStep = 2 * time.Millisecond
	slowStep  = 10 * time.Millisecond
	// slowCall is from when on more calls of the storage are made at a time than
	// there are processors.
	slowCall = 250 * time.Microsecond

	// maxAhead is how many members, and maxAheadSteps how many steps, have been
	// begun and not been delivered.
	maxAhead      = 2048
	maxAheadSteps = 128
)

// walking is a Walk that runs. Its own goroutine delivers what is first in the
// list, and does it itself if nobody else does; helpers do what comes next.
type walking struct {
	*Walk
	ctx context.Context //nolint:containedctx // lives as long as Run

	mu      sync.Mutex
	changed sync.Cond
	head    *step
	// ahead is what has been begun and not been delivered, in members; steps is how
	// many steps that is.
	ahead, steps int
	found        int  // members, in all
	size         int  // of the next step, in members
	slow         bool // the storage
	begun        int  // steps, in all
	helpers      int
	stopped      bool
	listings     map[*walked]storage.Listing // to be closed
	// panicked is what the storage has panicked with in a helper: it belongs to
	// the caller.
	panicked any
	// counter, if not nil, says what is seen of the entries. It has helpers of its
	// own.
	counter *counter
}

// newWalking walks through roots, one after the other.
func newWalking(w *Walk, roots ...*walked) *walking {
	k := &walking{Walk: w, head: roots[0].first(), size: firstStep, listings: make(map[*walked]storage.Listing)}
	k.changed.L = &k.mu
	at := k.head
	for _, root := range roots[1:] {
		at = at.insert(root.first())
	}
	return k
}

// run does all that is to be done, and ends it when there is an error.
func (k *walking) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k.ctx = ctx
	stop := context.AfterFunc(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.changed.Broadcast()
	})
	defer stop()
	walked := false
	defer func() {
		cancel()
		k.end()
		if walked && k.panicked != nil {
			panic(k.panicked)
		}
	}()
	err := k.deliverAll()
	walked = true
	return err
}

// deliverAll returns when the last step has been delivered.
func (k *walking) deliverAll() error {
	for {
		s, err := k.first()
		if s == nil || err != nil {
			return err
		}
		if s.deliver != nil {
			if err := s.deliver(); err != nil {
				return err
			}
			k.Monitor.resolveAll(s.members)
		}
		if k.counter != nil {
			if err := k.counter.passed(s.of); err != nil {
				return err
			}
		}
		if s.pooled != nil {
			s.release()
		}
	}
}

// first takes the first step from the list when it is done; nil when there is
// none.
func (k *walking) first() (*step, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		s := k.head
		switch err := k.ctx.Err(); {
		case err != nil:
			return nil, err
		case k.panicked != nil:
			return nil, errPanicked
		case s == nil:
			return nil, nil
		case s.state == stepDone:
			k.head = s.next
			if s.cost > 0 {
				k.ahead -= s.cost
				k.steps--
			}
			k.help()
			return s, nil
		case s.state == stepWaiting:
			k.begin(s)
			k.help()
			k.doUnlocked(s)
		default:
			k.changed.Wait()
		}
	}
}

// doUnlocked does a step while mu, which is held, is not.
func (k *walking) doUnlocked(s *step) {
	k.mu.Unlock()
	defer k.mu.Lock() // also if the storage panics
	k.do(s)
}

// waiting returns the first step that can be begun, if any.
func (k *walking) waiting() *step {
	if k.stopped || k.ahead >= maxAhead || k.steps >= maxAheadSteps {
		return nil
	}
	s := k.head
	for s != nil && s.state != stepWaiting {
		s = s.next
	}
	if s != nil && k.Limit > 0 && s != k.head && !s.of.visited {
		return nil // whether it may be entered depends on what is in front of it
	}
	return s
}

// begin makes a step that waits one that runs.
func (k *walking) begin(s *step) {
	s.state, s.cost = stepRunning, k.size
	k.begun++
	s.of.running++
	k.ahead += s.cost
	k.steps++
	switch {
	case s.found != nil:
		s.to = s.from + k.share(s.left())
	case !s.broken:
		return
	}
	s.begin()
	s.of.follow(s)
}

// share returns how many of the members that are left the next step takes. On
// quick storage it is half of them: who comes to help ends at about the same time,
// whenever it has begun.
func (k *walking) share(left int) int {
	size := k.size
	if !k.slow {
		size = min(size, max((left+1)/2, minShare))
	}
	return min(size, left)
}

// do does a step that has begun.
func (k *walking) do(s *step) {
	start := time.Now()
	calls := 0
	if s.found == nil && !s.broken {
		k.find(s)
		calls = 2
	}
	k.describe(s)
	if len(s.members) > 0 {
		s.deliver = k.Prepare(k.ctx, s.members)
	}
	k.done(s, calls+s.to-s.from, time.Since(start))
}

// done takes note of what a step has cost, and of what it has made known.
func (k *walking) done(s *step, calls int, took time.Duration) {
	var listing storage.Listing
	k.mu.Lock()
	switch {
	case took < quickStep && calls >= k.size:
		k.size = min(k.size*max(int(quickStep/max(took, 1)), 2), maxStep)
	case took > slowStep:
		k.size = max(k.size/2, 1)
	}
	// That there are no more members slow storage may know at once.
	if slow := took > slowCall*time.Duration(max(calls, 2)); slow || s.from < s.to {
		k.slow = slow
	}
	s.state = stepDone
	s.of.running--
	if s.of.gate != nil && s.of.running == 0 && s.of.open() {
		listing = k.listings[s.of]
		delete(k.listings, s.of)
	}
	k.changed.Signal()
	k.mu.Unlock()
	if listing != nil {
		_ = listing.Close()
	}
}

// isSlow reports whether the storage is.
func (k *walking) isSlow() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.slow
}

// end returns when no helper is left and nothing is open.
func (k *walking) end() {
	k.mu.Lock()
	k.stopped = true
	for k.helpers > 0 {
		k.changed.Wait()
	}
	k.mu.Unlock()
	for _, listing := range k.listings {
		_ = listing.Close()
	}
}
