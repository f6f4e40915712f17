package dav

import (
	"context"
	"sync"
	"sync/atomic"
)

// operationContext is the context of an operation. It ends with its parent or by
// cancel. It makes a cancellable child only when a caller needs Done or cancel,
// because most operations only call Err.
type operationContext struct {
	context.Context //nolint:containedctx // the parent

	mu   sync.Mutex
	made atomic.Pointer[cancelContext]
}

// cancelContext is the cancellable child of the parent.
type cancelContext struct {
	context.Context //nolint:containedctx // what context.WithCancelCause returns

	cancel context.CancelCauseFunc
}

// current returns the child if it exists, otherwise the parent.
func (c *operationContext) current() context.Context {
	if made := c.made.Load(); made != nil {
		return made
	}
	return c.Context
}

// child returns the child, which it makes if necessary.
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

// end releases the child.
func (c *operationContext) end() {
	if made := c.made.Load(); made != nil {
		made.cancel(nil)
	}
}

// Done implements context.Context, like the methods below.
func (c *operationContext) Done() <-chan struct{} { return c.child().Done() }

func (c *operationContext) Err() error { return c.current().Err() }

// Value asks the child if it exists, because context.Cause finds the cause by Value.
func (c *operationContext) Value(key any) any { return c.current().Value(key) }
