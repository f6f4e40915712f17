package dav

import (
	"context"
	"errors"
	"testing"
)

// TestOperationContext checks that an operationContext behaves like
// context.WithCancelCause, whether Done is called before it ends or not.
func TestOperationContext(t *testing.T) {
	type key struct{}
	stop, gone := errors.New("stop"), errors.New("gone")
	for _, tt := range []struct {
		name     string
		detached bool // from the parent's end
		end      func(c *operationContext, parent context.CancelCauseFunc)
		cause    error // nil: it does not end
	}{
		{"nothing", false, func(*operationContext, context.CancelCauseFunc) {}, nil},
		{"cancel", false, func(c *operationContext, _ context.CancelCauseFunc) { c.cancel(stop) }, stop},
		{"the client goes", false, func(_ *operationContext, parent context.CancelCauseFunc) { parent(gone) }, gone},
		{"the client goes, then cancel", false, func(c *operationContext, parent context.CancelCauseFunc) { parent(gone); c.cancel(stop) }, gone},
		{"detached, the client goes", true, func(_ *operationContext, parent context.CancelCauseFunc) { parent(gone) }, nil},
		{"detached, cancel", true, func(c *operationContext, _ context.CancelCauseFunc) { c.cancel(stop) }, stop},
	} {
		for _, waited := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				parent, endParent := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
				defer endParent(nil)
				c := &operationContext{Context: parent}
				if tt.detached {
					c.Context = context.WithoutCancel(parent)
				}
				defer c.end()
				var child context.Context
				if waited {
					var cancel context.CancelFunc
					child, cancel = context.WithCancel(c)
					defer cancel()
				}
				tt.end(c, endParent)
				if cause := context.Cause(c); !errors.Is(cause, tt.cause) || (c.Err() != nil) != (tt.cause != nil) {
					t.Errorf("ended by %v (%v), want %v", cause, c.Err(), tt.cause)
				}
				if child != nil && !errors.Is(context.Cause(child), tt.cause) {
					t.Errorf("its child ended by %v, want %v", context.Cause(child), tt.cause)
				}
				select {
				case <-c.Done():
					if tt.cause == nil {
						t.Error("Done, and it has not ended")
					}
				default:
					if tt.cause != nil {
						t.Error("not Done, and it has ended")
					}
				}
				if c.Value(key{}) != "value" {
					t.Error("the parent's value is not there")
				}
			})
		}
	}
}

// TestOperationContextFree checks that no child is made unless a caller needs it.
func TestOperationContextFree(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &operationContext{Context: parent}
	if n := testing.AllocsPerRun(100, func() {
		if c.Err() != nil || c.Value(t) != nil {
			t.Error("ended")
		}
		c.end()
	}); n != 0 || c.made.Load() != nil {
		t.Errorf("%v allocations", n)
	}
}
