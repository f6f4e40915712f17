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
	// in is how many bytes of an unfinished header have arrived, or complete.
	in atomic.Int64
	// since belongs to connections.
	since atomic.Int64
}

// complete says that no header is expected.
const complete = -1

func (h *headers) count(conn net.Conn) net.Conn {
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &counted{TCPConn: tcp, of: h}
	}
	return conn
}

// Read implements net.Conn. It fails if the headers of all clients take up too much memory.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if over := c.add(int64(n)); over > 0 && c.of.bytes.Add(over) > maxHeaders {
		return 0, errHeaders
	}
	return n, err
}

// add adds n bytes to an unfinished header, and returns how many of them count.
func (c *counted) add(n int64) (over int64) {
	for {
		before := c.in.Load()
		if n <= 0 || before == complete {
			return 0
		}
		if c.in.CompareAndSwap(before, before+n) { // HTTP/2 reads while requests begin and end
			return before + n - max(before, freeHeader)
		}
	}
}

// expect says whether a header is expected. If not, it is complete, or the connection has ended.
func (c *counted) expect(header bool) {
	var in int64 = complete
	if header {
		in = 0
	}
	if over := c.in.Swap(in) - freeHeader; over > 0 {
		c.of.bytes.Add(-over)
	}
}
