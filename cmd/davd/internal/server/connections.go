package server

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/davd/davd/cmd/davd/internal/forwarded"
)

// leftAlone is how long a connection without a request is kept open when others wait for its
// place, because its client may be about to send a request.
const leftAlone = 2 * time.Second

// connections limits how many connections are open, at all listeners together, and from each
// address. When most places are taken, answers ask the client to close its connection. When all
// are taken and another client connects, the connection that has been idle longest is closed,
// and the new one waits until there is room.
type connections struct {
	max int
	// maxOf is the limit for one address, or for the /64 of an IPv6 address. This machine may have
	// three times as many, because clients may share its address behind a local proxy. Zero means
	// no limit. trusted are the proxies without one.
	maxOf   int
	trusted func() []netip.Prefix
	headers headers

	// open is written with mu.
	open atomic.Int64

	mu      sync.Mutex
	changed sync.Cond
	stopped bool
	// began is when the clock of now started.
	began time.Time
	// served has, for each connection, since when it has no request; 0 while there is one. All are
	// in the time of now.
	served map[net.Conn]*atomic.Int64
	// of is how many connections each address has.
	of map[netip.Addr]int
}

func newConnections(limit int) *connections {
	c := &connections{max: limit, began: time.Now(), served: map[net.Conn]*atomic.Int64{}, of: map[netip.Addr]int{}}
	c.changed.L = &c.mu
	return c
}

// limited is a listener that accepts no more connections than of allows.
type limited struct {
	net.Listener
	of *connections
}

// Accept waits for a connection, and then for its place. A connection from an address that has
// too many is closed.
func (l limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.of.admit(networkOf(conn)) {
			_ = conn.Close()
			continue
		}
		if !l.of.reserve() {
			l.of.release(conn)
			return nil, errors.Join(net.ErrClosed, conn.Close())
		}
		return l.of.headers.count(conn), nil
	}
}

// networkOf returns the address of the client, or the zero Addr at a Unix socket.
func networkOf(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return forwarded.NetworkOf(tcp.AddrPort().Addr())
	}
	return netip.Addr{}
}

// admit counts a connection from client. It returns false if client has too many.
func (c *connections) admit(client netip.Addr) bool {
	if c.maxOf == 0 || !client.IsValid() {
		return true
	}
	most := c.maxOf
	if client.IsLoopback() {
		most *= 3
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[client] >= most && !c.isTrusted(client) {
		return false
	}
	c.of[client]++
	return true
}

func (c *connections) isTrusted(client netip.Addr) bool {
	return c.trusted != nil && slices.ContainsFunc(c.trusted(), func(network netip.Prefix) bool { return network.Contains(client) })
}

// reserve waits for room for one connection. It returns false if stop was called.
func (c *connections) reserve() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open.Load() >= int64(c.max) && !c.stopped {
		if longest := c.longestLocked(); longest != nil {
			c.served[longest].Store(0)
			_ = longest.Close() // The server notices, and calls state. Until then it counts as open.
		}
		retry := time.AfterFunc(leftAlone/4, c.changed.Broadcast)
		c.changed.Wait()
		retry.Stop()
	}
	c.open.Add(1)
	return !c.stopped
}

// longestLocked returns the connection that has been without a request longest, or nil if
// none may be closed.
func (c *connections) longestLocked() net.Conn {
	var longest net.Conn
	first := c.now() - int64(leftAlone)
	for conn, since := range c.served {
		if since := since.Load(); since != 0 && since <= first {
			longest, first = conn, since
		}
	}
	return longest
}

// release frees the place of conn, which is closed.
func (c *connections) release(conn net.Conn) {
	client := networkOf(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open.Add(-1)
	delete(c.served, conn)
	if c.of[client] > 1 {
		c.of[client]--
	} else {
		delete(c.of, client)
	}
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
func (c *connections) crowded() bool { return c.open.Load() >= int64(c.max-c.max/4) }

// stop makes reserve return false from now on, even where it waits.
func (c *connections) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.changed.Broadcast()
}

// accepted returns the connection that limited.Accept returned, without what wraps it.
func accepted(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if behind, ok := conn.(*proxyproto.Conn); ok {
		conn = behind.Raw()
	}
	return conn
}

// now is the time in nanoseconds since the start, never 0.
func (c *connections) now() int64 { return int64(time.Since(c.began)) + 1 }

// state is the ConnState hook of the http.Server. A TCP connection needs no lock when a request
// begins or ends.
func (c *connections) state(conn net.Conn, state http.ConnState) {
	conn = accepted(conn)
	tcp, _ := conn.(*counted)
	var since int64
	if state == http.StateNew || state == http.StateIdle {
		since = c.now()
	}
	if tcp != nil {
		tcp.expect(since != 0)
	}
	switch {
	case state == http.StateClosed || state == http.StateHijacked:
		c.release(conn)
	case tcp != nil && state != http.StateNew:
		tcp.since.Store(since)
	default:
		c.sinceOf(conn).Store(since)
	}
}

// sinceOf returns the value of conn in served. It adds a new connection.
func (c *connections) sinceOf(conn net.Conn) *atomic.Int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := c.served[conn]
	if since == nil {
		since = new(atomic.Int64)
		if tcp, ok := conn.(*counted); ok {
			since = &tcp.since
		}
		c.served[conn] = since
	}
	return since
}
