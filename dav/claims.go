package dav

import (
	"context"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/davd/davd/storage"
)

// claimPatience is how long a request waits for another one that is changing
// the same resource. A PUT, MKCOL, PROPPATCH or LOCK holds its claim for less;
// a long COPY, MOVE or DELETE is not waited for to its end.
const claimPatience = time.Second

// scope is a resource, or a part of the tree below it too. name is its key.
type scope struct {
	name    string
	tree    bool // all that is below name
	members bool // what is directly below it
}

func (s scope) overlaps(other scope) bool {
	return s.name == other.name || s.holds(other.name) || other.holds(s.name)
}

// holds reports whether name, which is another one, is in s.
func (s scope) holds(name string) bool {
	return s.tree && storage.Contains(s.name, name) || s.members && path.Dir(name) == s.name
}

// claims are what requests are changing at the moment. Between the check of the
// locks and the change that it allows, nobody else may lock or change the same
// resource.
type claims struct {
	mu   sync.Mutex
	held []*hold
	// released is closed when a claim is released, or the operation that has it
	// begins; nil when nobody waits.
	released chan struct{}
	answers  map[operationKey]*keptAnswer
}

// hold is what one request has claimed. key is that of an operation that others
// can join; of all else it is zero.
type hold struct {
	scopes []scope
	key    operationKey
	// tenant is the statePrefix of those names: what one tenant changes is nothing to
	// another.
	tenant string
}

var errClaimed = &statusError{status: http.StatusLocked, reason: "another request is changing it"}

// identicalError says that an identical request has the claim. retry is closed
// when it is worth another try: to join its operation, or else to claim.
type identicalError struct{ retry <-chan struct{} }

func (e *identicalError) Error() string { return "an identical request is changing it" }

// acquire claims scopes, all at once, for as long as release is not called.
// It waits for others that have claimed the same, but not longer than
// claimPatience. release may be called more than once.
func (c *claims) acquire(ctx context.Context, scopes []scope) (release func(), err error) {
	h := &hold{scopes: scopes}
	if err := c.acquireHold(ctx, h); err != nil {
		return nil, err
	}
	return func() { c.release(h) }, nil
}

// acquireHold is acquire for h. It does not wait for an identical request: the
// error is an *identicalError then.
func (c *claims) acquireHold(ctx context.Context, h *hold) error {
	h.tenant = statePrefix(ctx)
	var timeout <-chan time.Time
	for {
		wait, identical := c.try(h)
		switch {
		case wait == nil:
			return nil
		case identical:
			return &identicalError{retry: wait}
		}
		if timeout == nil {
			timer := time.NewTimer(claimPatience)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-wait:
		case <-timeout:
			return errClaimed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// try claims for h and returns nil, or returns what is closed when it is worth
// another try. identical: the one who has the claim has the same key.
func (c *claims) try(h *hold) (wait <-chan struct{}, identical bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, held := range c.held {
		if held.tenant != h.tenant {
			continue
		}
		for _, other := range held.scopes {
			if slices.ContainsFunc(h.scopes, other.overlaps) {
				if c.released == nil {
					c.released = make(chan struct{})
				}
				return c.released, h.key.method != "" && h.key == held.key
			}
		}
	}
	c.held = append(c.held, h)
	c.dropAnswersLocked(h)
	return nil, false
}

// release gives back what h has claimed.
func (c *claims) release(h *hold) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.releaseLocked(h)
}

func (c *claims) releaseLocked(h *hold) {
	i := slices.Index(c.held, h)
	if i < 0 {
		return
	}
	last := len(c.held) - 1
	c.held[i], c.held[last] = c.held[last], nil
	c.held = c.held[:last]
	c.wakeLocked()
}

// wake lets those who wait look again.
func (c *claims) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakeLocked()
}

func (c *claims) wakeLocked() {
	if c.released != nil {
		close(c.released)
		c.released = nil
	}
}
