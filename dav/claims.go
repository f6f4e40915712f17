package dav

import (
	"context"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// claimPatience is how long a request waits for another one that is changing the same
// resource. A PUT, MKCOL, PROPPATCH or LOCK is usually done within that time. A long
// COPY, MOVE or DELETE usually is not, and then the request is refused.
const claimPatience = time.Second

// scope is a resource, optionally with a part of the tree below it. name is its key.
type scope struct {
	name    string
	tree    bool // includes everything below name
	members bool // includes the direct members of name
}

func (s scope) overlaps(other scope) bool {
	return s.name == other.name || s.holds(other.name) || other.holds(s.name)
}

// holds reports whether name, which differs from s.name, is in s.
func (s scope) holds(name string) bool {
	return s.tree && storage.Contains(s.name, name) || s.members && path.Dir(name) == s.name
}

// claims are the resources that requests are changing now. A request holds its claim
// from the check of the locks to the end of the change, so that no other request can
// lock or change the same resources in between.
type claims struct {
	mu   sync.Mutex
	held []*hold
	// released is closed when a claim is released, or when the operation that holds one
	// begins. It is nil when no request waits.
	released chan struct{}
	answers  map[operationKey]*keptAnswer
}

// hold is the claim of one request. key is the operation's key if other requests can
// join it, and zero otherwise.
type hold struct {
	scopes []scope
	key    operationKey
	// tenant is the statePrefix of the names. Claims of different tenants don't conflict.
	tenant string
}

var errClaimed = &status.Error{Status: http.StatusLocked, Reason: "another request is changing this resource"}

// identicalError says that an identical request holds the claim. When retry is closed,
// the caller should try again to join that request's operation, or to claim.
type identicalError struct{ retry <-chan struct{} }

func (e *identicalError) Error() string { return "an identical request is changing this resource" }

// acquire claims all scopes together until the caller calls release. It waits for other
// requests that hold any of them, but not longer than claimPatience. release may be
// called more than once.
func (c *claims) acquire(ctx context.Context, scopes []scope) (release func(), err error) {
	h := &hold{scopes: scopes}
	if err := c.acquireHold(ctx, h); err != nil {
		return nil, err
	}
	return func() { c.release(h) }, nil
}

// acquireHold is acquire for h. If an identical request holds the claim, it doesn't
// wait and returns an *identicalError.
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

// try claims for h and returns nil. If the claim conflicts with another one, it returns
// a channel that is closed when trying again makes sense; identical says that the other
// claim has the same key.
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

// release releases the claim h.
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

// wake makes all waiting requests try again.
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
