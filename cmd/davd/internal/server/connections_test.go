package server

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestConnections checks that the connection that has been idle longest is closed when all
// places are taken, but only after it has had time to send a request. A connection with a
// request is never closed.
func TestConnections(t *testing.T) {
	for _, c := range []struct {
		name   string
		states []http.ConnState // of each connection, in order
		closed int              // index of the connection that must be closed, or -1
		after  time.Duration
	}{
		{"the longest idle", []http.ConnState{http.StateActive, http.StateIdle, http.StateIdle}, 1, leftAlone},
		{"one that sends nothing", []http.ConnState{http.StateActive, http.StateNew, http.StateNew}, 1, leftAlone},
		{"all have requests", []http.ConnState{http.StateActive, http.StateActive}, -1, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				open := newConnections(len(c.states))
				var conns []*fakeConn
				for _, state := range c.states {
					if !open.reserve() {
						t.Fatal("no room")
					}
					conn := &fakeConn{of: open}
					open.state(conn, http.StateNew)
					open.state(conn, state)
					conns = append(conns, conn)
					time.Sleep(time.Millisecond)
				}
				begun, got := time.Now(), make(chan bool, 1)
				go func() { got <- open.reserve() }()
				select {
				case <-got:
				case <-time.After(time.Hour):
				}
				if took := time.Since(begun); took < c.after-10*time.Millisecond || took > c.after+leftAlone {
					t.Errorf("there was room after %v, want %v", took, c.after)
				}
				for i, conn := range conns {
					if conn.closed != (i == c.closed) {
						t.Errorf("connection %d closed: %t", i, conn.closed)
					}
				}
				open.stop()
				synctest.Wait()
			})
		})
	}
}

// TestConnectionsTCP checks the same for TCP connections, which are counted without a lock.
func TestConnectionsTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	synctest.Test(t, func(t *testing.T) {
		open := newConnections(3)
		var conns []net.Conn
		for _, states := range [][]http.ConnState{
			{http.StateNew, http.StateActive, http.StateIdle, http.StateActive},
			{http.StateNew, http.StateActive, http.StateIdle},
			{http.StateNew},
		} {
			client, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			conn, err := limited{l, open}.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for _, state := range states {
				open.state(conn, state)
			}
			conns = append(conns, conn)
			time.Sleep(time.Millisecond)
		}
		go open.reserve()
		for after, want := range []int{0, 1, 1} { // nobody tells open that the first one is closed
			open.state(conns[2], http.StateActive)
			closed := 0
			for i, conn := range conns {
				if err := conn.SetDeadline(time.Time{}); errors.Is(err, net.ErrClosed) {
					closed++
					if i != 1 {
						t.Errorf("connection %d was closed", i)
					}
				}
			}
			if closed != want {
				t.Errorf("after %d times leftAlone, %d connections are closed, want %d", after, closed, want)
			}
			time.Sleep(leftAlone + time.Second)
		}
		for _, conn := range conns {
			open.state(conn, http.StateClosed)
		}
		synctest.Wait()
		if open.open.Load() != 1 || len(open.served) > 0 || open.headers.bytes.Load() != 0 {
			t.Errorf("%d connections, %d served and %d bytes are left, want the connection that has waited", open.open.Load(), len(open.served), open.headers.bytes.Load())
		}
	})
}

type fakeConn struct {
	net.Conn
	of     *connections
	closed bool
}

// RemoteAddr is that of a client at a Unix socket.
func (f *fakeConn) RemoteAddr() net.Addr { return &net.UnixAddr{} }

// Close returns before the server notices that the connection is closed.
func (f *fakeConn) Close() error {
	f.closed = true
	time.AfterFunc(time.Millisecond, func() { f.of.state(f, http.StateClosed) })
	return nil
}

// TestAdmit checks how many connections one address may have.
func TestAdmit(t *testing.T) {
	open := newConnections(100)
	open.maxOf = 2
	open.trusted = func() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32")} }
	for _, c := range []struct {
		addrs []string
		most  int // or -1 for no limit
	}{
		{[]string{"192.0.2.1"}, 2},
		{[]string{"192.0.2.2", "::ffff:192.0.2.2"}, 2},
		{[]string{"2001:db8::1", "2001:db8::2"}, 2},
		{[]string{"2001:db8:1::1"}, 2},
		{[]string{"127.0.0.1"}, 6},
		{[]string{"192.0.2.9"}, -1},
	} {
		var conns []*addrConn
		for i := range 10 {
			conn := &addrConn{addr: c.addrs[i%len(c.addrs)]}
			if open.admit(networkOf(conn)) {
				open.reserve()
				conns = append(conns, conn)
			}
		}
		if want := c.most; len(conns) != want && (want >= 0 || len(conns) != 10) {
			t.Errorf("%v: %d connections, want %d", c.addrs, len(conns), want)
		}
		for _, conn := range conns {
			open.release(conn)
		}
	}
	if len(open.of) > 0 || open.open.Load() != 0 {
		t.Errorf("%v, %d are left", open.of, open.open.Load())
	}
}

type addrConn struct {
	net.Conn
	addr string
}

func (c *addrConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.addr), 1))
}

// TestAcceptFull checks that an idle connection is only closed when another client connects.
func TestAcceptFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := newConnections(1)
		queue := make(queue, 2)
		l := limited{queue, open}
		first := &fakeConn{of: open}
		queue <- first
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		open.state(first, http.StateNew)
		open.state(first, http.StateIdle)
		accepted := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			accepted <- err
		}()
		time.Sleep(time.Hour)
		if first.closed {
			t.Error("the connection was closed, although no other client needed its place")
		}
		queue <- &fakeConn{of: open}
		if err := <-accepted; err != nil || !first.closed {
			t.Errorf("closed %t, error %v", first.closed, err)
		}
	})
}

// queue is a listener.
type queue chan net.Conn

func (q queue) Accept() (net.Conn, error) { return <-q, nil }
func (q queue) Close() error              { return nil }
func (q queue) Addr() net.Addr            { return &net.UnixAddr{} }
