package auth

import (
	"context"
	"slices"
	"sync"
	"time"
)

// turns lets few attempts be made at a time. Names take turns: an attempt waits for
// one attempt of each other name at most, so guessing one user's password doesn't hold
// up the other users.
type turns struct {
	mu   sync.Mutex
	free int
	// lines are the attempts that wait, by name, and order the names, the next one
	// first.
	lines map[digest][]*turn
	order []digest
}

// turn is the place of an attempt.
type turn struct {
	name digest
	// came is closed when the turn has come, and at is when that was.
	came chan struct{}
	at   time.Time
}

func newTurns(atATime int) *turns {
	return &turns{free: atATime, lines: make(map[digest][]*turn)}
}

// join takes a turn, which may come at once. Leave must follow.
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

// leave gives the turn to the next attempt, or gives up waiting for it.
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

// removeLocked takes a turn out of its line. The next attempt of its name comes after
// those of the other names.
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

// wait waits for the turn.
func (x *turn) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-x.came:
		return nil
	}
}
