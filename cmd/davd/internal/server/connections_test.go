package server

import (
	"net"
	"net/http"
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

type fakeConn struct {
	net.Conn
	of     *connections
	closed bool
}

// Close returns before the server notices that the connection is closed.
func (f *fakeConn) Close() error {
	f.closed = true
	time.AfterFunc(time.Millisecond, func() { f.of.state(f, http.StateClosed) })
	return nil
}
