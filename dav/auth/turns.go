package auth

import (
	"context"
	"slices"
	"sync"
	"time"
)

// turns limits how many attempts run at a time. Names take turns: an attempt waits for
// at most one attempt of each other name, so that guesses at one user's password don't
// hold up the other users.
type turns struct {
	mu   sync.Mutex
	free int
	// lines holds the waiting attempts by name. order holds their names, the next one
	// first.
	lines map[digest][]*turn
	order []digest
}

type turn struct {
	name digest
	// came is closed when the turn comes. at is the time of that.
	came chan struct{}
	at   time.Time
}

func newTurns(atATime int) *turns {
	return &turns{free: atATime, lines: make(map[digest][]*turn)}
}

// join returns a new turn, which may come immediately. The caller must call leave.
func (t *turns) join(name digest) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := &turn{name: name, came: make(chan struct{})}
	if t.free > 0 {
		t.free--
		x.come()
		return x
	}
	if t.lines[name] == nil {
		t.order = append(t.order, name)
	}
	t.lines[name] = append(t.lines[name], x)
	return x
}

// leave passes the turn on to the next attempt. If the turn has not come yet, it gives it up.
func (t *turns) leave(x *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x.at.IsZero() {
		t.removeLocked(x)
		return
	}
	if len(t.order) == 0 {
		t.free++
		return
	}
	next := t.lines[t.order[0]][0]
	t.removeLocked(next)
	next.come()
}

// removeLocked removes a turn from its line. If its name was next, that name moves behind
// the other names.
func (t *turns) removeLocked(x *turn) {
	line := slices.DeleteFunc(t.lines[x.name], func(other *turn) bool { return other == x })
	first := t.order[0] == x.name
	switch {
	case len(line) == 0:
		delete(t.lines, x.name)
		t.order = slices.DeleteFunc(t.order, func(name digest) bool { return name == x.name })
		return
	case first:
		t.order = append(t.order[1:], x.name)
	}
	t.lines[x.name] = line
}

func (x *turn) come() {
	x.at = time.Now()
	close(x.came)
}

func (x *turn) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-x.came:
		return nil
	}
}
