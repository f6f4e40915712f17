package auth

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

// gate lets few passwords be hashed at a time, and each of them once.
type gate struct {
	delays delays
	slots  chan struct{}

	mu      sync.Mutex
	flights map[flightKey]*flight
}

// flightKey is an attempt; those of several addresses don't wait for one
// another's delays.
type flightKey struct {
	origin
	digest
}

// flight is an attempt that is under way.
type flight struct {
	landed chan struct{} // closed at the end
	err    error
}

func newGate() *gate {
	return &gate{
		slots:   make(chan struct{}, runtime.GOMAXPROCS(0)),
		flights: make(map[flightKey]*flight),
	}
}

// attempt returns nil if matches says yes. Requests that make the same attempt
// at the same time, as those of a mount's first connections do, share one call.
func (g *gate) attempt(ctx context.Context, from origin, d digest, matches func() bool) error {
	key := flightKey{from, d}
	for {
		g.mu.Lock()
		f, running := g.flights[key]
		if !running {
			f = &flight{landed: make(chan struct{}), err: context.Canceled} // if matches panics
			g.flights[key] = f
		}
		g.mu.Unlock()
		if !running {
			return g.fly(ctx, key, f, matches)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.landed:
		}
		if !ended(f.err) {
			return f.err
		}
		// The request that made the attempt is gone: make it anew.
	}
}

func (g *gate) fly(ctx context.Context, key flightKey, f *flight, matches func() bool) error {
	defer func() {
		g.mu.Lock()
		delete(g.flights, key)
		g.mu.Unlock()
		close(f.landed)
	}()
	f.err = g.try(ctx, key.origin, matches)
	return f.err
}

// try waits for its turn, first in the line of its origin, then in that of all.
func (g *gate) try(ctx context.Context, from origin, matches func() bool) error {
	line, err := g.delays.enter(ctx, from)
	if err != nil {
		return err
	}
	failed := false
	defer func() { g.delays.leave(from, line, failed) }()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case g.slots <- struct{}{}:
	}
	defer func() { <-g.slots }()
	if matches() {
		return nil
	}
	failed = true
	return errWrong
}

// ended reports whether err is that of a request that went away.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
