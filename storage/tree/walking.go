package tree

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/davd/davd/storage"
)

const (
	// The first step has firstStep members, and none has more than maxStep. The number
	// adapts so that a step takes between quickStep and slowStep. If fewer members are
	// left on quick storage, several steps share them, each with at least minShare.
	firstStep = 8
	maxStep   = 128
	minShare  = 16
	quickStep = 2 * time.Millisecond
	slowStep  = 10 * time.Millisecond
	// slowCall is how long a call of slow storage takes on average. On slow storage,
	// more calls run at the same time than there are processors.
	slowCall = 250 * time.Microsecond

	// maxAhead and maxAheadSteps limit the members and the steps that have begun but
	// were not delivered.
	maxAhead      = 2048
	maxAheadSteps = 128
)

// walking is a Walk that is running. Its own goroutine delivers the first step of the
// list, and does that step itself if no helper has begun with it. Helpers do the steps
// after it.
type walking struct {
	*Walk
	ctx     context.Context //nolint:containedctx // lives as long as Run
	cancel  context.CancelFunc
	workers *Workers
	// quickHelpers limits the helpers, and slowHelpers the further ones on slow storage.
	quickHelpers, slowHelpers *semaphore.Weighted

	mu      sync.Mutex
	changed sync.Cond
	head    *step
	// ahead is the number of members in steps that have begun but were not delivered;
	// steps is the number of these steps.
	ahead, steps int
	found        int  // members found so far
	size         int  // members in the next step
	slow         bool // the storage is slow
	begun        int  // steps begun so far
	helpers      int
	stopped      bool
	listings     map[*walked]storage.Listing // listings that are open
	panicked     error                       // a panic of the storage in a helper
}

// newWalking returns a walk through roots, one after the other.
func newWalking(w *Walk, roots ...*walked) *walking {
	workers := w.Workers.ready()
	k := &walking{
		Walk: w, head: roots[0].first(), size: firstStep, listings: make(map[*walked]storage.Listing),
		workers: workers, quickHelpers: workers.quick, slowHelpers: workers.slow,
	}
	k.changed.L = &k.mu
	at := k.head
	for _, root := range roots[1:] {
		at = at.insert(root.first())
	}
	return k
}

// run does and delivers all steps. It ends the walk at the first error.
func (k *walking) run(ctx context.Context) error {
	ctx, k.cancel = context.WithCancel(ctx)
	k.ctx = ctx
	stop := context.AfterFunc(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.changed.Broadcast()
	})
	defer stop()
	return thrown(k.deliverAll())
}

// deliverAll delivers steps until none is left.
func (k *walking) deliverAll() error {
	defer k.end()
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
		if s.pooled != nil {
			put(&k.workers.members, s.pooled, s.members)
			s.members, s.pooled, s.deliver = nil, nil, nil
		}
	}
}

// first waits until the first step is done and takes it from the list. It returns nil
// if the list is empty.
func (k *walking) first() (*step, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		s := k.head
		switch err := k.ctx.Err(); {
		case err != nil:
			return nil, err
		case k.panicked != nil:
			return nil, k.panicked
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

// doUnlocked releases mu, which is held, while it does a step.
func (k *walking) doUnlocked(s *step) {
	k.mu.Unlock()
	defer k.mu.Lock() // even if the storage panics
	k.do(s)
}

// waiting returns the first step that may begin, if any.
func (k *walking) waiting() *step {
	if k.stopped || k.ahead >= maxAhead || k.steps >= maxAheadSteps {
		return nil
	}
	s := k.head
	for s != nil && s.state != stepWaiting {
		s = s.next
	}
	if s != nil && k.Limit > 0 && s != k.head && !s.of.visited {
		return nil // The steps before it decide whether it may be entered.
	}
	return s
}

// begin changes a step from waiting to running.
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
	k.beginMembers(s)
	s.of.follow(s)
}

// share returns how many of the members that are left the next step takes. On quick
// storage it takes half of them, so that all helpers end at about the same time,
// whenever they began.
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

// done marks a step as done. It adapts the size of the next steps to the time that this
// one took, and opens the gate of the collection if this was the last step before it.
func (k *walking) done(s *step, calls int, took time.Duration) {
	var listing storage.Listing
	k.mu.Lock()
	switch {
	case took < quickStep && s.to-s.from >= k.size:
		k.size = min(k.size*max(int(quickStep/max(took, 1)), 2), maxStep)
	case took > slowStep:
		k.size = max(k.size/2, 1)
	}
	// A step without members does not prove that the storage is quick: even slow
	// storage may know immediately that no members are left.
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

// end ends the walk: it waits for all helpers and closes the open listings.
func (k *walking) end() {
	k.cancel()
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
