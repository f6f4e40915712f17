package tree

import "runtime"

// How many helpers all walks of this process may have together. On quick storage, more
// helpers than processors gain nothing. On slow storage they mostly wait, and each one
// makes a walk shorter. A walk that gets no helper continues alone.
var (
	quickHelpers = newSlots(max(runtime.GOMAXPROCS(0), 2))
	slowHelpers  = newSlots(32)
)

// A walk on quick storage does its first soloSteps steps without helpers, unless at
// least soloMembers members are left: a small collection is listed before a helper
// could begin.
const (
	soloSteps   = 2
	soloMembers = 2 * minShare
)

// help starts a helper if a step is waiting. mu is held.
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
	// An idle processor steals the newest goroutine of another processor only after a
	// sleep. The empty one is now the newest, so the helper can be stolen immediately.
	go func() {}()
}

// slowSlots returns the slots of helpers on slow storage.
func (k *walking) slowSlots() slots {
	if k.counter != nil {
		return countHelpers
	}
	return slowHelpers
}

// helper does steps until none is waiting.
func (k *walking) helper(of slots) {
	defer func() {
		cause := recover()
		if cause != nil { // Then mu is not held.
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
		// Let the goroutine run that waits for this step, or another request. Otherwise
		// they would wait 10 ms, until the runtime preempts this goroutine.
		runtime.Gosched()
	}
}
