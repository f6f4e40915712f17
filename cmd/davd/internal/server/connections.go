package server

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// newFor is how long a connection that has sent no request yet is left alone when
// others wait for its place.
const newFor = 2 * time.Second

// connections bounds how many connections are open at all listeners together. When
// there are too many, the one that has been idle longest is closed, and the next waits
// in the system's queue until there is room.
type connections struct {
	max int

	mu      sync.Mutex
	changed sync.Cond
	open    int
	stopped bool
	// waiting are the connections without a request: when each became so.
	waiting map[net.Conn]waiting
	// closed are those that were closed for others, and still count as open.
	closed map[net.Conn]bool
}

// waiting is what is known of a connection without a request.
type waiting struct {
	since time.Time
	used  bool // it has had a request before
}

func newConnections(limit int) *connections {
	c := &connections{max: limit, waiting: map[net.Conn]waiting{}, closed: map[net.Conn]bool{}}
	c.changed.L = &c.mu
	return c
}

// limited is a listener that accepts no more than connections allows.
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

// reserve waits for room for one connection. It returns false once stop was called.
func (c *connections) reserve() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open >= c.max && !c.stopped {
		if longest := c.longestLocked(); longest != nil && c.open-len(c.closed) >= c.max {
			delete(c.waiting, longest)
			c.closed[longest] = true
			_ = longest.Close() // The server learns of it, and calls state.
			continue
		}
		retry := time.AfterFunc(newFor/4, c.changed.Broadcast)
		c.changed.Wait()
		retry.Stop()
	}
	c.open++
	return !c.stopped
}

// longestLocked returns the connection that has been without a request longest, nil if
// none may be closed.
func (c *connections) longestLocked() net.Conn {
	var longest net.Conn
	for conn, is := range c.waiting {
		if !is.used && time.Since(is.since) < newFor {
			continue
		}
		if longest == nil || is.since.Before(c.waiting[longest].since) {
			longest = conn
		}
	}
	return longest
}

// release says that conn is closed, or that there is none after all.
func (c *connections) release(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	delete(c.closed, conn)
	delete(c.waiting, conn)
	c.changed.Broadcast()
}

// stop ends every wait for room.
func (c *connections) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.changed.Broadcast()
}

// state is the ConnState of the http.Server. Connections are not wrapped, because
// net/http asks them for sendfile.
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
	switch {
	case c.closed[conn]:
	case state == http.StateNew || state == http.StateIdle:
		c.waiting[conn] = waiting{since: time.Now(), used: state == http.StateIdle}
		if c.open >= c.max {
			c.changed.Broadcast()
		}
	default:
		delete(c.waiting, conn)
	}
}
