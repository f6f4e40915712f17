package operation

import (
	"context"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
)

// claimPatience is how long a request waits while another one is changing the same
// resource. A PUT, MKCOL, PROPPATCH or LOCK is usually done within that time. A long
// COPY, MOVE or DELETE usually is not, and then the request is refused.
const claimPatience = time.Second

// Scope is a resource, optionally with a part of the tree below it. Name is its key.
type Scope struct {
	Name    string
	Tree    bool // includes everything below Name
	Members bool // includes the direct members of Name
}

func (s Scope) overlaps(other Scope) bool {
	return s.Name == other.Name || s.holds(other.Name) || other.holds(s.Name)
}

// holds reports whether name, which differs from s.Name, is in s.
func (s Scope) holds(name string) bool {
	return s.Tree && storage.Contains(s.Name, name) || s.Members && path.Dir(name) == s.Name
}

// Claims are the resources that requests are changing now. A request holds its claim
// from the check of the locks to the end of the change, so that no other request can
// lock or change the same resources in between.
type Claims struct {
	mu   sync.Mutex
	held []*Hold
	// released is closed when a claim is released, or when the operation that holds one
	// begins. It is nil when no request waits.
	released chan struct{}
	answers  map[Key]*keptAnswer
}

// Hold is the claim of one request.
type Hold struct {
	Scopes []Scope
	// Key is that of the operation if other requests can join it, and zero otherwise.
	Key Key
	// Tenant is the tenant that the names belong to. Claims of different tenants don't
	// conflict.
	Tenant string
	// Shared: the claim conflicts only with one of an identical request. That is for a server
	// that leaves other conflicts to the storage.
	Shared bool
	// End, if not nil, ends the claim on other servers, after the work has ended with err. It
	// returns the error for the answer, which other servers may have decided.
	End func(err error, result *cluster.Result) error
}

var errClaimed = &status.Error{Status: http.StatusLocked, Reason: "another request is changing this resource"}

// identicalError says that an identical request holds the claim. When retry is closed,
// the caller should try again to join that request's operation, or to claim.
type identicalError struct{ retry <-chan struct{} }

func (e *identicalError) Error() string { return "an identical request is changing this resource" }

// Acquire claims all scopes together until the caller calls release. It waits for other
// requests that hold any of them, but not longer than claimPatience. release may be
// called more than once.
func (c *Claims) Acquire(ctx context.Context, tenant string, scopes ...Scope) (release func(), err error) {
	h := &Hold{Scopes: scopes, Tenant: tenant}
	if err := c.AcquireHold(ctx, h); err != nil {
		return nil, err
	}
	return func() { c.Release(h) }, nil
}

// AcquireHold is Acquire for h. If an identical request holds the claim, it doesn't wait,
// and returns an error that [Registry.Undertake] understands.
func (c *Claims) AcquireHold(ctx context.Context, h *Hold) error {
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
func (c *Claims) try(h *Hold) (wait <-chan struct{}, identical bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, held := range c.held {
		if held.Tenant != h.Tenant || h.Shared && (!h.Key.joinable() || held.Key != h.Key) {
			continue
		}
		for _, other := range held.Scopes {
			if slices.ContainsFunc(h.Scopes, other.overlaps) {
				if c.released == nil {
					c.released = make(chan struct{})
				}
				return c.released, h.Key.joinable() && h.Key == held.Key
			}
		}
	}
	c.held = append(c.held, h)
	c.dropAnswersLocked(h)
	return nil, false
}

// Release releases the claim h.
func (c *Claims) Release(h *Hold) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.releaseLocked(h)
}

func (c *Claims) releaseLocked(h *Hold) {
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
func (c *Claims) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakeLocked()
}

func (c *Claims) wakeLocked() {
	if c.released != nil {
		close(c.released)
		c.released = nil
	}
}
