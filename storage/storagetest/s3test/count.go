package s3test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Counted returns the endpoint of a relay in front of an S3 server, until the end of the test, and the
// number of bytes that the server has sent through it, headers included.
func Counted(tb testing.TB, endpoint string) (relay string, sent *atomic.Int64) {
	tb.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it takes no time
	if err != nil {
		tb.Fatal(err)
	}
	r := &relaying{to: to.Host}
	r.running.Go(func() { r.accept(listener) })
	tb.Cleanup(func() {
		_ = listener.Close() // It was only listening.
		r.running.Wait()
	})
	return "http://" + listener.Addr().String(), &r.sent
}

// relaying is a relay.
type relaying struct {
	to      string
	sent    atomic.Int64
	running sync.WaitGroup
}

func (r *relaying) accept(listener net.Listener) {
	var all []net.Conn
	for {
		conn, err := listener.Accept()
		if err != nil {
			break
		}
		server, err := net.Dial("tcp", r.to) //nolint:noctx // it takes no time
		if err != nil {
			_ = conn.Close()
			continue
		}
		all = append(all, conn, server)
		r.running.Go(func() {
			_, _ = io.Copy(server, conn)
			_ = server.Close()
		})
		r.running.Go(func() {
			_, _ = io.Copy(&counting{conn, &r.sent}, server)
			_ = conn.Close()
		})
	}
	for _, conn := range all {
		_ = conn.Close()
	}
}

// counting is a connection whose written bytes are counted.
type counting struct {
	net.Conn
	written *atomic.Int64
}

// Write implements io.Writer.
func (c *counting) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}
