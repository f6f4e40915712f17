package tree

import "runtime"

// How many helpers all walks of this process have together. On storage that is
// quick more than there are processors gain nothing; on slow storage they wait,
// and what a walk has of them shortens it. A walk that gets none goes on alone.
var (
	quickHelpers = newSlots(max(runtime.GOMAXPROCS(0), 2))
	slowHelpers  = newSlots(32)
)

// soloSteps is how many steps of quick storage are done without helpers, unless
// soloMembers are left: a small collection is listed before a helper would have
// begun.
const (
	soloSteps   = 2
	soloMembers = 2 * minShare
)

// help starts a helper if there is something to be done. mu is held.
func (k *walking) help() {
	s := k.waiting()
	if s == nil || !k.slow && k.begun <= soloSteps && s.left() < soloMembers {
		return
	}
	var of slots
	switch {
	case k.counter == nil && quickHelpers.TryAcquire(1):
		of = quickHelpers
	case k.slow && k.slowSlots().TryAcquire(1):
		of = k.slowSlots()
	default:
		return
	}
	k.helpers++
	go k.helper(of)
	// An idle processor takes what was made last only after a sleep, of about 70 µs
	// on Linux: it is to find the helper behind this.
	go func() {}()
}

// slowSlots are those of helpers on slow storage.
func (k *walking) slowSlots() slots {
	if k.counter != nil {
		return countHelpers
	}
	return slowHelpers
}

// helper does steps until there is none to be begun.
func (k *walking) helper(of slots) {
	defer func() {
		cause := recover()
		if cause != nil { // mu is not held
			k.mu.Lock()
			k.panicked = cause
		}
		k.helpers--
		of.Release(1)
		k.changed.Broadcast()
		k.mu.Unlock()
	}()
	for {
		k.mu.Lock()
		s := k.waiting()
		if s == nil || of != quickHelpers && !k.slow {
			return
		}
		k.begin(s)
		k.help()
		k.mu.Unlock()
		k.do(s)
		// Without that, whoever waits for this step, or another request, would do
		// so for the ten milliseconds after which the runtime interferes.
		runtime.Gosched()
	}
}
