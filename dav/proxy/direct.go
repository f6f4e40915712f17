package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"sync"
	"time"
)

// direct sends safe requests to an upstream over HTTP/1.1 without TLS. It does what
// http.Transport does, but in the goroutine of the request: a Transport hands each request and
// each answer to two other goroutines, which takes longer than nginx needs for the whole
// request.
type direct struct {
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	timeout time.Duration

	mu   sync.Mutex
	idle []*directConn // the most recently used last
}

// directConn is a connection of direct. One request at a time uses it.
type directConn struct {
	net.Conn

	reader *bufio.Reader
	writer *bufio.Writer
	// budget is how many bytes may be read before the header has ended.
	budget int64
	// deadline is that of reading, for the header of an answer.
	deadline time.Time
	used     bool      // by an earlier request
	began    bool      // something of the answer has arrived
	since    time.Time // when it became idle
}

// errLongHeader is the error of an answer whose header is too long.
var errLongHeader = errors.New("the header of the answer is too long")

// Read implements io.Reader.
func (c *directConn) Read(p []byte) (int, error) {
	if c.budget <= 0 {
		return 0, errLongHeader
	}
	n, err := c.Conn.Read(p)
	c.budget -= int64(n)
	c.began = c.began || n > 0
	return n, err
}

// maxDirectBody limits the body of a request that is sent directly, in bytes. The upstream
// answers such a request only when it has read it, so that nothing need read meanwhile.
const maxDirectBody = 16 << 10

// takes reports whether a request can be sent directly: it is safe and can be repeated, if a
// connection turns out to be closed (RFC 9110 §9.2.2).
func (*direct) takes(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND":
	default:
		return false
	}
	empty := r.ContentLength == 0 && (r.Body == nil || r.Body == http.NoBody)
	small := r.GetBody != nil && r.ContentLength > 0 && r.ContentLength <= maxDirectBody
	return (empty || small) && r.URL.Scheme == "http" && len(r.Trailer) == 0 && r.Header["Upgrade"] == nil && r.Header["Expect"] == nil
}

// RoundTrip implements http.RoundTripper.
func (d *direct) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		c, err := d.conn(r)
		if err != nil {
			return nil, err
		}
		response, err := d.exchange(c, r)
		if err == nil {
			return response, nil
		}
		c.Close()
		if cause := context.Cause(r.Context()); cause != nil {
			return nil, cause
		}
		if c.began || !c.used || errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
		// The upstream has closed the connection while it was idle.
	}
}

// conn returns an idle connection or a new one.
func (d *direct) conn(r *http.Request) (*directConn, error) {
	d.mu.Lock()
	if n := len(d.idle); n > 0 {
		c := d.idle[n-1]
		d.idle = d.idle[:n-1]
		d.mu.Unlock()
		c.used = true
		return c, nil
	}
	d.mu.Unlock()
	conn, err := d.dial(r.Context(), "tcp", address(r.URL.Host))
	if err != nil {
		return nil, err
	}
	c := &directConn{Conn: conn, writer: bufio.NewWriter(conn)}
	c.reader = bufio.NewReaderSize(c, directBuffer)
	return c, nil
}

// directBuffer is the size of the buffer of a connection's answers, in bytes.
const directBuffer = 16 << 10

// address returns the address of a host, with port 80 by default.
func address(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(host, "80")
}

// exchange sends r and reads the header of the answer.
func (d *direct) exchange(c *directConn, r *http.Request) (*http.Response, error) {
	c.budget, c.began = maxHeader, false
	if now := time.Now(); c.deadline.Sub(now) < d.timeout-d.timeout/16 { // setting it costs as much as a small write
		c.deadline = now.Add(d.timeout)
		if err := c.SetReadDeadline(c.deadline); err != nil {
			return nil, err
		}
	}
	stop := context.AfterFunc(r.Context(), func() { c.Close() })
	response, err := c.roundTrip(r)
	if err != nil {
		stop()
		return nil, err
	}
	c.budget = 1<<63 - 1
	if response.ContentLength < 0 || response.ContentLength > int64(c.reader.Buffered()) {
		c.deadline = time.Time{}
		if err := c.SetReadDeadline(c.deadline); err != nil {
			stop()
			return nil, err
		}
	}
	body := &directBody{ReadCloser: response.Body, pool: d, conn: c, stop: stop, keep: !response.Close && !r.Close}
	if response.ContentLength == 0 || r.Method == http.MethodHead {
		body.end(true)
	}
	response.Body = body
	return response, nil
}

func (c *directConn) roundTrip(r *http.Request) (*http.Response, error) {
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		r = r.WithContext(r.Context())
		r.Body = body
	}
	if err := r.Write(c.writer); err != nil {
		return nil, err
	}
	if err := c.writer.Flush(); err != nil {
		return nil, err
	}
	for {
		response, err := http.ReadResponse(c.reader, r)
		switch {
		case err != nil:
			return nil, err
		case response.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("the upstream switches protocols without having been asked")
		case response.StatusCode >= http.StatusOK:
			return response, nil
		}
		if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.Got1xxResponse != nil {
			if err := trace.Got1xxResponse(response.StatusCode, textproto.MIMEHeader(response.Header)); err != nil {
				return nil, err
			}
			c.budget = maxHeader // only this request's own header counts
		}
	}
}

// directBody is the body of an answer. At its end, the connection becomes idle.
type directBody struct {
	io.ReadCloser

	pool *direct
	conn *directConn // nil once it is idle or closed
	stop func() bool
	keep bool // the connection may be used again
}

// Read implements io.Reader.
func (b *directBody) Read(p []byte) (int, error) {
	if b.conn == nil {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(errors.Is(err, io.EOF))
	}
	return n, err
}

// Close implements io.Closer.
func (b *directBody) Close() error {
	b.end(false)
	return nil
}

// end gives the connection back, if the answer was read to its end.
func (b *directBody) end(complete bool) {
	c := b.conn
	if c == nil {
		return
	}
	b.conn = nil
	running := !b.stop()
	if !complete || running || !b.keep || c.reader.Buffered() > 0 { // no client asked for more
		c.Close()
		return
	}
	b.pool.put(c)
}

// put keeps c for a later request.
func (d *direct) put(c *directConn) {
	c.since = time.Now()
	d.mu.Lock()
	d.idle = append(d.idle, c)
	var old *directConn
	if first := d.idle[0]; len(d.idle) > idleConns || c.since.Sub(first.since) > idleTimeout {
		old, d.idle = first, d.idle[1:]
	}
	d.mu.Unlock()
	if old != nil {
		old.Close()
	}
}
