package server

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// leftAlone is how long a connection without a request is kept open when others wait for its
// place, because its client may be about to send a request.
const leftAlone = 2 * time.Second

// connections limits how many connections are open, at all listeners together. When most
// places are taken, answers ask the client to close its connection. When all are taken, the
// connection that has been idle longest is closed, and the next one waits in the system's
// queue until there is room.
type connections struct {
	max int

	mu      sync.Mutex
	changed sync.Cond
	open    int
	stopped bool
	// waiting holds the connections without a request, and since when they have none.
	waiting map[net.Conn]time.Time
}

func newConnections(limit int) *connections {
	c := &connections{max: limit, waiting: map[net.Conn]time.Time{}}
	c.changed.L = &c.mu
	return c
}

// limited is a listener that accepts no more connections than of allows.
type limited struct {
	net.Listener
	of *connections
}

// Accept waits until there is room.
func (l limited) Accept() (net.Conn, error) {
	if !l.of.reserve() {
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		l.of.release(nil)
	}
	return conn, err
}

// reserve waits for room for one connection. It returns false if stop was called.
func (c *connections) reserve() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open >= c.max && !c.stopped {
		if longest := c.longestLocked(); longest != nil {
			delete(c.waiting, longest)
			_ = longest.Close() // The server notices, and calls state. Until then it counts as open.
		}
		retry := time.AfterFunc(leftAlone/4, c.changed.Broadcast)
		c.changed.Wait()
		retry.Stop()
	}
	c.open++
	return !c.stopped
}

// longestLocked returns the connection that has been without a request longest, or nil if
// none may be closed.
func (c *connections) longestLocked() net.Conn {
	var longest net.Conn
	for conn, since := range c.waiting {
		if time.Since(since) >= leftAlone && (longest == nil || since.Before(c.waiting[longest])) {
			longest = conn
		}
	}
	return longest
}

// release frees the place of conn, which is closed, or of a connection that was not accepted
// if conn is nil.
func (c *connections) release(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	delete(c.waiting, conn)
	c.changed.Broadcast()
}

// closing asks clients to close their connections after the answer while most places are
// taken. Interim responses don't carry that header.
func (c *connections) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && c.crowded() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// crowded reports whether at least three quarters of the places are taken.
func (c *connections) crowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open >= c.max-c.max/4
}

// stop makes reserve return false from now on, even where it waits.
func (c *connections) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.changed.Broadcast()
}

// state is the ConnState hook of the http.Server. Wrapped connections would tell when they
// are closed, but net/http could not use sendfile with them.
func (c *connections) state(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if state == http.StateClosed || state == http.StateHijacked {
		c.release(conn)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != http.StateNew && state != http.StateIdle {
		delete(c.waiting, conn)
		return
	}
	c.waiting[conn] = time.Now()
	if c.open >= c.max {
		c.changed.Broadcast()
	}
}
