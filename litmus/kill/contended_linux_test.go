package kill

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A register is a file that several clients write at the same time. The model can't know which
// write was the last, but it knows which writes can't have been.
type register struct {
	name string

	mu     sync.Mutex
	writes []*write
}

// A write is a PUT of one content.
type write struct {
	content    string
	begun, end time.Time // end is zero while the answer is missing, or if it was cut off
	refused    bool
}

// begin records that the file may have this content from now on.
func (r *register) begin(content string) *write {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &write{content: content, begun: time.Now()}
	r.writes = append(r.writes, w)
	return w
}

// acknowledge records the answer to w.
func (r *register) acknowledge(w *write, done bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.end, w.refused = time.Now(), !done
	r.forget()
}

// forget removes writes that can't be the last: they ended before another, acknowledged write began.
func (r *register) forget() {
	var latest time.Time
	for _, w := range r.writes {
		if !w.refused && !w.end.IsZero() && w.begun.After(latest) {
			latest = w.begun
		}
	}
	r.writes = slices.DeleteFunc(r.writes, func(w *write) bool {
		return w.refused || !w.end.IsZero() && w.end.Before(latest)
	})
}

// settle makes got, which was read after a restart, the only content.
func (r *register) settle(got string, exists bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	allowed := false
	acknowledged := false
	var contents []string
	for _, w := range r.writes {
		allowed = allowed || exists && w.content == got
		acknowledged = acknowledged || !w.end.IsZero()
		contents = append(contents, shorten(w.content))
	}
	if allowed {
		now := time.Now()
		r.writes = []*write{{content: got, begun: now, end: now}}
		return nil
	}
	if !exists && !acknowledged {
		r.writes = nil
		return nil
	}
	return fmt.Errorf("%s exists: %t, and holds %s, want one of %v", r.name, exists, shorten(got), contents)
}

// contended is the collection of the registers. raceLock is the file that clients lock.
const (
	contended = "/race"
	raceLock  = contended + "/lock"
)

// A turn is an exclusive lock that clients take turns to hold.
type turn struct {
	mu sync.Mutex
	// owner and token belong to the lock that was acknowledged and not yet given back.
	owner, token string
	// asked are the owners of LOCK requests without an answer. gone is the token of an
	// UNLOCK without an answer.
	asked map[string]bool
	gone  string
}

// contention is what clients do at the same time in one place.
type contention struct {
	registers []*register
	turn      turn
}

func newContention() *contention {
	c := &contention{turn: turn{asked: map[string]bool{}}}
	for i := range 3 {
		c.registers = append(c.registers, &register{name: fmt.Sprintf("%s/r%d", contended, i)})
	}
	return c
}

// contend sends one request in the contended collection.
func (m *model) contend(ctx context.Context, w *wire, c *chooser) error {
	if c.chance(0.3) {
		return m.takeTurn(ctx, w, c)
	}
	r := m.contention.registers[c.below(len(m.contention.registers))]
	content := c.content() + c.unique()
	write := r.begin(content)
	var body io.Reader = strings.NewReader(content)
	a, err := w.send(ctx, http.MethodPut, r.name, nil, body)
	switch {
	case err != nil && !a.final():
		return m.cutOff(r.name, err)
	case !a.done() && a.status != http.StatusLocked && a.status != http.StatusServiceUnavailable && !m.isFull(a):
		return fmt.Errorf("PUT %s: status %d: %s", r.name, a.status, a.body)
	}
	r.acknowledge(write, a.done())
	m.count(a)
	return nil
}

func (m *model) count(a answer) {
	switch {
	case a.done():
		m.acknowledged.Add(1)
	case m.isFull(a):
		m.full.Add(1)
	default:
		m.refused.Add(1)
	}
}

// cutOff counts a request without an answer.
func (m *model) cutOff(name string, err error) error {
	if !m.killed.Load() {
		return fmt.Errorf("%s: no answer though davd was not killed: %w", name, err)
	}
	m.unanswered.Add(1)
	return nil
}

// takeTurn locks the file that all clients want to lock, and unlocks it.
func (m *model) takeTurn(ctx context.Context, w *wire, c *chooser) error {
	owner := c.unique()
	m.contention.turn.ask(owner)
	a, err := w.send(ctx, "LOCK", raceLock, map[string]string{"Depth": "0", "Timeout": "Second-36000"}, strings.NewReader(lockBody(owner)))
	if err != nil && !a.final() {
		return m.cutOff(raceLock, err)
	}
	if !a.done() && a.status != http.StatusLocked && a.status != http.StatusServiceUnavailable && !m.isFull(a) {
		return fmt.Errorf("LOCK %s: status %d: %s", raceLock, a.status, a.body)
	}
	m.count(a)
	if err := m.contention.turn.granted(owner, a); err != nil || !a.done() {
		return err
	}
	m.contention.turn.giveBack(a.token)
	a, err = w.send(ctx, "UNLOCK", raceLock, map[string]string{"Lock-Token": "<" + a.token + ">"}, nil)
	if err != nil && !a.final() {
		return m.cutOff(raceLock, err)
	}
	if !a.done() && !m.isFull(a) {
		return fmt.Errorf("UNLOCK %s: status %d: %s", raceLock, a.status, a.body)
	}
	m.count(a)
	return nil
}

func (t *turn) ask(owner string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked[owner] = true
}

// granted records the answer to the LOCK of owner. Only one client may hold the lock.
func (t *turn) granted(owner string, a answer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.asked, owner)
	if !a.done() {
		return nil
	}
	if t.token != "" {
		return fmt.Errorf("%s has two exclusive locks: of %s and %s", raceLock, t.owner, owner)
	}
	t.owner, t.token, t.gone = owner, a.token, ""
	return nil
}

// giveBack must be called before the UNLOCK is sent, because another client may get the lock before
// the answer to the UNLOCK comes.
func (t *turn) giveBack(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone = token
	t.owner, t.token = "", ""
}

// settle compares the locks on the file after a restart with what was acknowledged.
// It returns the token of the remaining lock.
func (t *turn) settle(locks map[string]held) (token string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for owner, l := range locks {
		if token != "" {
			err = fmt.Errorf("%s has two exclusive locks after the restart", raceLock)
		}
		token = l.token
		if owner != t.owner && !t.asked[owner] && l.token != t.gone {
			err = fmt.Errorf("%s has the lock of %s after the restart, which was given back or refused", raceLock, owner)
		}
	}
	if t.token != "" && token != t.token {
		err = fmt.Errorf("%s has lost the lock of %s", raceLock, t.owner)
	}
	t.owner, t.token, t.gone, t.asked = "", "", "", map[string]bool{}
	return token, err
}

// settle compares the contended collection after a restart with what the clients have done, and
// gives the lock back.
func (c *contention) settle(ctx context.Context, w *wire, got view) error {
	for _, r := range c.registers {
		is, exists := got.resources[r.name]
		if err := r.settle(is.content, exists); err != nil {
			return err
		}
	}
	token, err := c.turn.settle(got.within(raceLock).locks)
	if err != nil || token == "" {
		return err
	}
	a, err := w.send(ctx, "UNLOCK", raceLock, map[string]string{"Lock-Token": "<" + token + ">"}, nil)
	if err == nil && !a.done() && a.status != http.StatusInsufficientStorage {
		err = fmt.Errorf("UNLOCK %s: status %d: %s", raceLock, a.status, a.body)
	}
	return err
}
