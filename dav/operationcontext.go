package dav

import (
	"context"
	"sync"
	"sync/atomic"
)

// operationContext is the context of an operation: it ends with its parent, or
// by cancel. What somebody can wait for is made when somebody does: of most
// operations only Err is ever asked.
type operationContext struct {
	context.Context //nolint:containedctx // the parent

	mu   sync.Mutex
	made atomic.Pointer[cancelContext]
}

// cancelContext is a child of the parent, once there is one.
type cancelContext struct {
	context.Context //nolint:containedctx // what context.WithCancelCause returns

	cancel context.CancelCauseFunc
}

// current returns the context that counts.
func (c *operationContext) current() context.Context {
	if made := c.made.Load(); made != nil {
		return made
	}
	return c.Context
}

// child returns the child of the parent.
func (c *operationContext) child() *cancelContext {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.made.Load()
	if made == nil {
		made = &cancelContext{}
		made.Context, made.cancel = context.WithCancelCause(c.Context)
		c.made.Store(made)
	}
	return made
}

// cancel ends the context with cause.
func (c *operationContext) cancel(cause error) { c.child().cancel(cause) }

// end frees what was made.
func (c *operationContext) end() {
	if made := c.made.Load(); made != nil {
		made.cancel(nil)
	}
}

// Done implements context.Context, as all that follow.
func (c *operationContext) Done() <-chan struct{} { return c.child().Done() }

func (c *operationContext) Err() error { return c.current().Err() }

// Value finds for context.Cause, too, what has ended the context.
func (c *operationContext) Value(key any) any { return c.current().Value(key) }
