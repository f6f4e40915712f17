package server

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
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

	mu      sync.Mutex
	changed sync.Cond
	open    int
	stopped bool
	// waiting holds the connections without a request, and since when they have none.
	waiting map[net.Conn]time.Time
	// of is how many connections each address has.
	of map[netip.Addr]int
}

func newConnections(limit int) *connections {
	c := &connections{max: limit, waiting: map[net.Conn]time.Time{}, of: map[netip.Addr]int{}}
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

// release frees the place of conn, which is closed.
func (c *connections) release(conn net.Conn) {
	client := networkOf(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	delete(c.waiting, conn)
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

// state is the ConnState hook of the http.Server.
func (c *connections) state(conn net.Conn, state http.ConnState) {
	conn = accepted(conn)
	if counted, ok := conn.(*counted); ok {
		counted.expect(state == http.StateNew || state == http.StateIdle)
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
