package server

import (
	"errors"
	"net"
	"sync/atomic"
)

const (
	// freeHeader is how many bytes of an unfinished header don't count: most headers are shorter.
	freeHeader = 8 << 10
	// maxHeaders limits the unfinished headers of all connections together, in bytes. net/http needs
	// about twice as much memory.
	maxHeaders = 64 << 20
)

var errHeaders = errors.New("too many clients are sending long headers")

// headers counts the bytes of unfinished headers.
type headers struct{ bytes atomic.Int64 }

// counted is a connection that counts the bytes that arrive before its request is complete. It has
// the other methods of a TCPConn, so that net/http can use sendfile.
type counted struct {
	*net.TCPConn
	of *headers
	// in is how many bytes of an unfinished header have arrived; reading says that one is expected.
	in      atomic.Int64
	reading atomic.Bool
}

func (h *headers) count(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	c := &counted{TCPConn: tcp, of: h}
	c.reading.Store(true)
	return c
}

// Read implements net.Conn. It fails if the headers of all clients take up too much memory.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if n == 0 || !c.reading.Load() {
		return n, err
	}
	before := c.in.Add(int64(n)) - int64(n)
	if over := before + int64(n) - max(before, freeHeader); over > 0 && c.of.bytes.Add(over) > maxHeaders {
		return 0, errHeaders
	}
	return n, err
}

// expect says whether a header is expected. If not, it is complete, or the connection has ended.
func (c *counted) expect(header bool) {
	c.reading.Store(header)
	if over := c.in.Swap(0) - freeHeader; over > 0 {
		c.of.bytes.Add(-over)
	}
}
