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

// scope is a resource, or a part of the tree below it too.
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
	held []*[]scope
	// released is closed when a claim is released; nil when nobody waits.
	released chan struct{}
}

var errClaimed = &statusError{status: http.StatusLocked, reason: "another request is changing it"}

// acquire claims scopes, all at once, for as long as release is not called.
// It waits for others that have claimed the same, but not longer than
// claimPatience.
func (c *claims) acquire(ctx context.Context, scopes []scope) (release func(), err error) {
	var timeout <-chan time.Time
	for {
		wait := c.try(&scopes)
		if wait == nil {
			return sync.OnceFunc(func() { c.release(&scopes) }), nil
		}
		if timeout == nil {
			timer := time.NewTimer(claimPatience)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-wait:
		case <-timeout:
			return nil, errClaimed
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// try claims scopes and returns nil, or returns what is closed when it is worth
// another try.
func (c *claims) try(scopes *[]scope) (wait <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, held := range c.held {
		for _, other := range *held {
			if slices.ContainsFunc(*scopes, other.overlaps) {
				if c.released == nil {
					c.released = make(chan struct{})
				}
				return c.released
			}
		}
	}
	c.held = append(c.held, scopes)
	return nil
}

func (c *claims) release(scopes *[]scope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.held, scopes)
	last := len(c.held) - 1
	c.held[i], c.held[last] = c.held[last], nil
	c.held = c.held[:last]
	if c.released != nil {
		close(c.released)
		c.released = nil
	}
}
