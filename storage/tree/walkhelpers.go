package tree

import (
	"runtime"

	"golang.org/x/sync/semaphore"
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
	var of *semaphore.Weighted
	switch {
	case k.quickHelpers.TryAcquire(1):
		of = k.quickHelpers
	case k.slow && k.slowHelpers.TryAcquire(1):
		of = k.slowHelpers
	default:
		return
	}
	k.helpers++
	go k.helper(of)
	// An idle processor steals the newest goroutine of another processor only after a
	// sleep. The empty one is now the newest, so the helper can be stolen immediately.
	go func() {}()
}

// helper does steps until none is waiting.
func (k *walking) helper(of *semaphore.Weighted) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.panicked == nil && (k.slow || of == k.quickHelpers) {
		s := k.waiting()
		if s == nil {
			break
		}
		k.begin(s)
		k.help()
		k.mu.Unlock()
		err := caught(func() error {
			k.do(s)
			return nil
		})
		// Let the goroutine run that waits for this step, or another request. Otherwise
		// they would wait 10 ms, until the runtime preempts this goroutine.
		runtime.Gosched()
		k.mu.Lock()
		if err != nil {
			k.panicked = err
		}
	}
	k.helpers--
	of.Release(1)
	k.changed.Broadcast()
}
