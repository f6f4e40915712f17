package ldapauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/davd/davd/dav/auth"
)

const (
	// maxIdle is how long an idle connection is kept. Servers and firewalls close them.
	maxIdle = time.Minute
	// downFor is how long a directory that can't be reached is not asked again, so that
	// logins fail at once and not each after a time-out.
	downFor = 5 * time.Second
)

var (
	errClosed   = errors.New("the directory is no longer used")
	errNoAnswer = errors.New("it does not answer")
)

// pool holds the connections to a directory.
type pool struct {
	o *Options
	// places has a token for each connection in use.
	places chan struct{}

	mu     sync.Mutex
	idle   []*conn // the last one was used last
	closed bool
	// down is why the last connection failed, and until is when to try again.
	down  error
	until time.Time
}

func newPool(o *Options) *pool {
	return &pool{o: o, places: make(chan struct{}, o.Pool)}
}

// do calls f with a connection. If the server has closed an idle one meanwhile, it calls f
// again with another.
func (p *pool) do(ctx context.Context, f func(*conn) error) error {
	limited, cancel := context.WithTimeoutCause(ctx, 2*p.o.Timeout, errNoAnswer)
	defer cancel()
	err := p.doInTime(limited, f)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return p.note(errNoAnswer) // the client still waits
	}
	return err
}

func (p *pool) doInTime(ctx context.Context, f func(*conn) error) error {
	select {
	case p.places <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.places }()
	for c := p.take(); c != nil; c = p.take() {
		if err := p.use(ctx, c, f); !broken(err) || ctx.Err() != nil {
			return err
		}
	}
	if err := p.refused(); err != nil {
		return err
	}
	err := p.useNew(ctx, f)
	if ctx.Err() != nil {
		return err
	}
	if broken(err) {
		return p.note(err)
	}
	_ = p.note(nil)
	if err != nil && !errors.Is(err, auth.ErrWrong) {
		p.o.Log.Error("the directory refuses a request", "err", err)
	}
	return err
}

func (p *pool) useNew(ctx context.Context, f func(*conn) error) error {
	dialing, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	c, err := dial(dialing, p.o)
	switch {
	case ctx.Err() != nil && err != nil:
		return ctx.Err()
	case err != nil:
		return err
	}
	return p.use(ctx, c, f)
}

// use calls f and returns c to the pool, or closes it. The end of ctx interrupts f.
func (p *pool) use(ctx context.Context, c *conn, f func(*conn) error) error {
	_ = c.raw.SetDeadline(time.Time{}) // it only fails if f fails as well
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(time.Now()) })
	err := f(c)
	interrupted := !stop()
	if interrupted || broken(err) || !p.put(c) {
		_ = c.Close()
	}
	if interrupted {
		return ctx.Err()
	}
	return err
}

// take returns an idle connection, or nil. It closes connections that were idle for too long.
func (p *pool) take() *conn {
	for {
		c := p.last()
		if c == nil || time.Since(c.idle) < maxIdle && !c.IsClosing() {
			return c
		}
		_ = c.Close()
	}
}

// last removes the connection that was used last.
func (p *pool) last() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	c := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return c
}

// put reports whether the pool keeps c.
func (p *pool) put(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || c.IsClosing() {
		return false
	}
	c.idle = time.Now()
	p.idle = append(p.idle, c)
	return true
}

// refused returns an error if the directory was just found to be down.
func (p *pool) refused() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return errClosed
	case p.down != nil && time.Now().Before(p.until):
		return p.down
	}
	return nil
}

// note notes the result of a connection, and logs a change.
func (p *pool) note(err error) error {
	p.mu.Lock()
	before := p.down
	if err != nil {
		err = fmt.Errorf("the directory at %s can't be used: %w", p.o.URL.Redacted(), err)
		p.until = time.Now().Add(downFor)
	}
	p.down = err
	p.mu.Unlock()
	switch {
	case err != nil && before == nil:
		p.o.Log.Error("users of the directory can't log in", "err", err)
	case err == nil && before != nil:
		p.o.Log.Info("the directory can be used again", "url", p.o.URL.Redacted())
	}
	return err
}

func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.closed, p.idle = true, nil
	p.mu.Unlock()
	for _, c := range idle {
		_ = c.Close()
	}
}
