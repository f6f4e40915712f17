package kill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// areaDepth is the number of segments of an area's name.
const areaDepth = 1

// An area is a collection that one request changes at a time. Some belong to one
// client, others to all.
type area struct {
	root  string
	place int // orders the areas of a model

	mu  sync.Mutex
	now view
	// cut is the operation whose answer a kill has cut off. While it is nil, now describes
	// the area.
	cut *operation
}

// A model knows what davd has acknowledged.
type model struct {
	areas []*area
	// contention is the part of the share that all clients change without taking turns.
	contention *contention
	limit      limits
	// scarce says that requests may be refused because a disk is full.
	scarce bool
	// killed is set before davd is killed. From then on requests may fail.
	killed atomic.Bool

	history history
	// acknowledged, refused, full and unanswered count the requests.
	acknowledged, refused, full, unanswered atomic.Int64
}

// clients is how many clients change a share at the same time.
const clients = 8

// shared is the number of areas that all clients use.
const shared = 4

func newModel() *model {
	m := &model{contention: newContention(), limit: limits{resources: 40, bytes: 4 << 20}}
	for i := range clients + shared {
		name := fmt.Sprintf("/a%d", i)
		if i >= clients {
			name = fmt.Sprintf("/s%d", i-clients)
		}
		m.areas = append(m.areas, &area{root: name, place: i, now: newView()})
	}
	return m
}

// acquire locks the areas for one operation, always in the same order.
func acquire(areas []*area) (release func()) {
	slices.SortFunc(areas, func(a, b *area) int { return cmp.Compare(a.place, b.place) })
	for _, a := range areas {
		a.mu.Lock()
	}
	return func() {
		for _, a := range areas {
			a.mu.Unlock()
		}
	}
}

// choose chooses the areas of the next operation of client who.
func (m *model) choose(c *chooser, who int) []*area {
	own := m.areas[who]
	switch n := c.below(100); {
	case n < 55:
		return []*area{own}
	case n < 80:
		return []*area{m.areas[clients+c.below(shared)]}
	default:
		other := m.areas[c.below(len(m.areas))]
		if other == own {
			return []*area{own}
		}
		return []*area{own, other}
	}
}

// change makes client who send requests until davd is killed or an error is found.
func (m *model) change(ctx context.Context, w *wire, c *chooser, who int) error {
	defer w.close()
	for !m.killed.Load() && ctx.Err() == nil {
		if c.chance(0.1) {
			if err := m.contend(ctx, w, c); err != nil {
				return err
			}
			continue
		}
		more, err := m.step(ctx, w, c, who)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// step sends one request.
func (m *model) step(ctx context.Context, w *wire, c *chooser, who int) (more bool, err error) {
	areas := m.choose(c, who)
	defer acquire(areas)()
	before := newView()
	for _, a := range areas {
		if a.cut != nil {
			return false, nil // davd is dead.
		}
		before.add(a.now)
	}
	o := c.choose(areas, before, m.limit)
	a, err := w.do(ctx, o)
	c.pressed = err == nil && m.isFull(a)
	m.history.add(c.who, o, a, err)
	if err != nil && !a.final() {
		if !m.killed.Load() {
			return false, m.wrong(o, fmt.Errorf("no answer though davd was not killed: %w", err))
		}
		m.unanswered.Add(1)
		for _, a := range areas {
			a.cut = o
		}
		return false, nil
	}
	return true, m.heed(ctx, w, o, a)
}

// final reports whether the status alone determines the result, so that the body does not matter.
func (a answer) final() bool { return a.status != 0 && a.status != http.StatusMultiStatus }

// heed checks an answer and changes the model accordingly.
func (m *model) heed(ctx context.Context, w *wire, o *operation, a answer) error {
	switch {
	case a.done() && len(o.refusals) > 0:
		return m.wrong(o, fmt.Errorf("status %d, want one of %v", a.status, o.refusals))
	case a.done():
		m.acknowledged.Add(1)
		if o.method == "LOCK" {
			l := o.after.locks[o.owner]
			l.token = a.token
			o.after.locks[o.owner] = l
		}
		m.adopt(o.areas, o.after)
		return nil
	case slices.Contains(o.refusals, a.status):
		m.refused.Add(1)
		return nil
	case !m.scarce || !m.isFull(a):
		return m.wrong(o, fmt.Errorf("status %d, want 2xx or one of %v: %s", a.status, o.refusals, a.body))
	}
	m.full.Add(1)
	if a.status != http.StatusMultiStatus && m.full.Load()%8 != 0 {
		return nil // The next look shows whether that is true.
	}
	return m.heedFull(ctx, w, o, a)
}

// isFull reports whether the answer says that a disk is full. SQLite can't always tell
// that from another failure: then it is a 503.
func (m *model) isFull(a answer) bool {
	return a.status == http.StatusInsufficientStorage || m.scarce && a.status == http.StatusServiceUnavailable ||
		a.status == http.StatusMultiStatus && strings.Contains(a.body, " 507 ")
}

// heedFull checks what a request has changed that failed because a disk is full.
func (m *model) heedFull(ctx context.Context, w *wire, o *operation, a answer) error {
	got := newView()
	for _, area := range o.areas {
		part, err := w.look(ctx, area.root)
		if err != nil {
			return m.unlessKilled(o, err)
		}
		got.add(part)
	}
	partly := a.status == http.StatusMultiStatus && o.method == http.MethodDelete
	adopted, err := judge(got, o, partly, false)
	if err != nil {
		return m.wrong(o, fmt.Errorf("the answer %d is not true: %w: %s", a.status, err, a.body))
	}
	m.adopt(o.areas, adopted)
	return nil
}

func (m *model) unlessKilled(o *operation, err error) error {
	if m.killed.Load() {
		for _, a := range o.areas {
			a.cut = o
		}
		return nil
	}
	return m.wrong(o, err)
}

// adopt makes v the content of the areas in the model.
func (m *model) adopt(areas []*area, v view) {
	for _, a := range areas {
		a.now = v.within(a.root)
	}
}

// judge finds out whether o was done. It accepts that o has changed nothing, that it was done
// completely if mayBeDone, or that it is a DELETE that was done partly if partly. It returns the
// actual view.
func judge(got view, o *operation, partly, mayBeDone bool) (view, error) {
	undone := differ(got, o.before)
	if undone == nil {
		return got, nil
	}
	if mayBeDone {
		done := differ(got, o.after)
		if done == nil {
			return got, nil
		}
		if !partly {
			return got, fmt.Errorf("it is neither undone: %w; nor done: %w", undone, done)
		}
	}
	if partly {
		if err := differPartly(got, o.before, o.src); err != nil {
			return got, fmt.Errorf("not even partly done: %w", err)
		}
		return got, nil
	}
	return got, undone
}

// wrong returns an error that describes what is wrong after o, with the history of the name.
func (m *model) wrong(o *operation, err error) error {
	name := o.src
	var d *difference
	if errors.As(err, &d) {
		name = d.name
	}
	return fmt.Errorf("%s: %w\n%s", o, err, m.history.of(name))
}

// check compares got, the view of a client after a restart, with what was acknowledged. Then got
// becomes the content of the areas in the model.
func (m *model) check(got view) error {
	var errs []error
	for _, a := range m.areas {
		part := got.within(a.root)
		o := a.cut
		if o == nil {
			if d := differ(part, a.now); d != nil {
				errs = append(errs, fmt.Errorf("after the restart %w\n%s", d, m.history.of(d.name)))
			}
			a.now = part
			continue
		}
		if o.areas[0] != a {
			continue // The operation was judged with the first of its areas.
		}
		roots := make([]string, 0, len(o.areas))
		for _, each := range o.areas {
			roots = append(roots, each.root)
			each.cut = nil
		}
		is, err := judge(got.within(roots...), o, o.method == http.MethodDelete, true)
		if err != nil {
			errs = append(errs, m.wrong(o, fmt.Errorf("after the kill %w", err)))
		}
		m.adopt(o.areas, is)
	}
	return errors.Join(errs...)
}

// A history remembers the requests.
type history struct {
	mu     sync.Mutex
	events []event
}

type event struct {
	text  string
	about func(name string) bool
}

// add adds a request and its answer.
func (h *history) add(who string, o *operation, a answer, err error) {
	text := fmt.Sprintf("%s %s: %d", who, o, a.status)
	if err != nil {
		text += fmt.Sprintf(" %v", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event{text, o.about})
}

// note adds an event that concerns all names.
func (h *history) note(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event{text, func(string) bool { return true }})
}

// of returns the last events about name.
func (h *history) of(name string) string {
	const last = 40
	h.mu.Lock()
	defer h.mu.Unlock()
	var lines []string
	for _, e := range slices.Backward(h.events) {
		if len(lines) == last {
			break
		}
		if e.about(name) {
			lines = append(lines, "    "+e.text)
		}
	}
	slices.Reverse(lines)
	return "  the history of " + name + ":\n" + strings.Join(lines, "\n")
}
