package tree

import (
	"context"
	"slices"
	"sync"
	"time"
)

// turns lets at most limit goroutines work at a time. Those that wait get their turns
// client by client, and for one client in the order they began to wait. So a
// client with hundreds of operations does not delay the only one of another client.
type turns struct {
	limit int

	mu      sync.Mutex
	taken   int
	round   int       // that of the goroutine that got the last turn
	waiting []*waiter // in the order they get turns
}

// waiter is a goroutine that waits. In each round, each client gets one turn.
type waiter struct {
	client string
	round  int
	turn   chan struct{} // closed when the goroutine gets its turn
}

// withdraw ends the waiting of w. It reports false if w has got its turn.
func (t *turns) withdraw(w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	waiting := len(t.waiting)
	t.waiting = slices.DeleteFunc(t.waiting, func(other *waiter) bool { return other == w })
	return len(t.waiting) < waiting
}

// enqueue takes a turn and returns nil if one is free. Otherwise it returns a waiter.
func (t *turns) enqueue(client string) *waiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken < t.limit {
		t.taken++
		return nil
	}
	w := &waiter{client: client, round: t.round, turn: make(chan struct{})}
	at := 0
	for i, other := range t.waiting {
		if other.client == client {
			w.round = other.round + 1
		}
		if other.round <= w.round {
			at = i + 1
		}
	}
	t.waiting = slices.Insert(t.waiting, at, w)
	return w
}

// give ends a turn.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.taken--
		return
	}
	next := t.waiting[0]
	t.waiting = slices.Delete(t.waiting, 0, 1)
	t.round = next.round
	close(next.turn)
}

// patience limits how long a goroutine waits for a turn. On a local disk one becomes
// free within milliseconds. If it takes longer, the storage is slow or hangs, so
// processors are not scarce. And a share that does not respond must not stop the work on
// all others.
const patience = time.Second

// turn is the right of one goroutine to work.
type turn struct {
	of     *turns
	client string
	held   bool
}

// acquire waits for a turn until patience has passed or ctx ends. It may return without
// one.
func (t *turn) acquire(ctx context.Context) {
	if t.held {
		return
	}
	w := t.of.enqueue(t.client)
	if w == nil {
		t.held = true
		return
	}
	tired := time.NewTimer(patience)
	defer tired.Stop()
	select {
	case <-w.turn:
		t.held = true
	case <-ctx.Done():
		t.held = !t.of.withdraw(w)
	case <-tired.C:
		t.held = !t.of.withdraw(w)
	}
}

func (t *turn) release() {
	if t.held {
		t.of.give()
		t.held = false
	}
}

// yield lets waiting goroutines go first.
func (t *turn) yield(ctx context.Context) {
	if t.held {
		t.release()
		t.acquire(ctx)
	}
}
