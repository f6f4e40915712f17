package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"os"
	"strconv"
	"time"
)

// client is one persistent connection. It does as little as possible, because the time that it
// needs counts for every server.
type client struct {
	addr string
	conn *net.TCPConn
	in   *bufio.Reader
	buf  []byte // for readers of bodies
	out  []byte // the request's header

	interim int // number of interim responses so far
}

// answer is a final response.
type answer struct {
	status int
	length int64     // of the body
	first  time.Time // when the first byte of the body arrived
	closes bool      // the connection can't be used again
}

// reader reads a body and returns its length.
type reader func(c *client, body io.Reader) (int64, error)

// refusal is the error for an unsuccessful status.
type refusal struct{ status int }

func (r *refusal) Error() string { return strconv.Itoa(r.status) }

// errLost means that the connection broke.
var errLost = errors.New("the connection broke")

func dial(ctx context.Context, addr string) (*client, error) {
	c := &client{addr: addr, buf: make([]byte, 256<<10)}
	return c, c.redial(ctx)
}

func (c *client) redial(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return fmt.Errorf("%s is not a TCP address", c.addr)
	}
	c.conn, c.in = tcp, bufio.NewReaderSize(tcp, 64<<10)
	deadline, _ := ctx.Deadline()
	return tcp.SetDeadline(deadline)
}

func (c *client) close() { c.conn.Close() }

// do sends a request, with body if that is not empty. It requires a 2xx status, and accepts a
// 207 only if multi is true.
func (c *client) do(ctx context.Context, method, path string, header []string, body []byte, read reader, multi bool) (answer, error) {
	c.begin(method, path, header, int64(len(body)))
	c.out = append(c.out, body...)
	if _, err := c.conn.Write(c.out); err != nil {
		return answer{}, fmt.Errorf("%w: %w", errLost, err)
	}
	return c.finish(ctx, read, multi)
}

// upload sends a PUT with the first size bytes of file, with sendfile if the system has it.
func (c *client) upload(ctx context.Context, path string, file *os.File, size int64) (answer, error) {
	c.begin("PUT", path, nil, size)
	if _, err := c.conn.Write(c.out); err != nil {
		return answer{}, fmt.Errorf("%w: %w", errLost, err)
	}
	if _, err := io.Copy(c.conn, io.LimitReader(file, size)); err != nil {
		return answer{}, fmt.Errorf("%w: %w", errLost, err)
	}
	return c.finish(ctx, skip, false)
}

// begin stores the request's header in c.out.
func (c *client) begin(method, path string, header []string, length int64) {
	c.out = c.out[:0]
	for _, part := range []string{method, " ", path, " HTTP/1.1\r\nHost: ", c.addr, "\r\nUser-Agent: davd-bench\r\n"} {
		c.out = append(c.out, part...)
	}
	for _, line := range header {
		c.out = append(append(c.out, line...), "\r\n"...)
	}
	if length > 0 || method == "PUT" {
		c.out = append(c.out, "Content-Length: "...)
		c.out = strconv.AppendInt(c.out, length, 10)
		c.out = append(c.out, "\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
}

func (c *client) finish(ctx context.Context, read reader, multi bool) (answer, error) {
	a, err := c.receive(read)
	if err != nil {
		return a, fmt.Errorf("%w: %w", errLost, err)
	}
	if a.closes {
		c.close()
		if err := c.redial(ctx); err != nil {
			return a, err
		}
	}
	if a.status/100 != 2 || a.status == 207 && !multi {
		return a, &refusal{a.status}
	}
	return a, nil
}

// receive reads responses, up to the end of the final one.
func (c *client) receive(read reader) (answer, error) {
	for {
		h, err := readHeader(c.in)
		if err != nil {
			return answer{}, err
		}
		if h.status/100 == 1 {
			c.interim++
			continue
		}
		a := answer{status: h.status, closes: h.closes}
		if a.status/100 != 2 { // the body describes an error
			read = skip
		}
		return a, c.body(h, read, &a)
	}
}

// body reads the body that h announces (RFC 9112 §6.3).
func (c *client) body(h header, read reader, a *answer) (err error) {
	var from io.Reader
	switch {
	case h.length == 0 || h.status == 204:
		a.first = time.Now()
		return nil
	case h.chunked:
		from = httputil.NewChunkedReader(c.in)
	case h.length < 0: // up to the end of the connection
		a.closes, from = true, c.in
	default:
		from = &io.LimitedReader{R: c.in, N: h.length}
	}
	if _, err := c.in.Peek(1); err != nil {
		return err
	}
	a.first = time.Now()
	if a.length, err = read(c, from); err != nil {
		return err
	}
	if h.chunked {
		return skipTrailer(c.in)
	}
	if h.length >= 0 && a.length != h.length {
		return fmt.Errorf("a body of %d bytes ended after %d", h.length, a.length)
	}
	return nil
}

// header has the needed parts of a response's header.
type header struct {
	status  int
	length  int64 // -1 if none is announced
	chunked bool
	closes  bool
}

func readHeader(in *bufio.Reader) (header, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return header{}, err
	}
	h := header{length: -1}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return h, fmt.Errorf("%q is not a status line", line)
	}
	if h.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return h, fmt.Errorf("%q is not a status line", line)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return h, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return h, nil
		}
		if err := h.field(line); err != nil {
			return h, err
		}
	}
}

// field parses one line of a header.
func (h *header) field(line []byte) (err error) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		if h.length, err = strconv.ParseInt(string(value), 10, 64); err != nil || h.length < 0 {
			return fmt.Errorf("%q is not a length", value)
		}
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		h.chunked = bytes.EqualFold(value, []byte("chunked"))
	case bytes.EqualFold(name, []byte("Connection")):
		h.closes = bytes.EqualFold(value, []byte("close"))
	}
	return nil
}

// skipTrailer reads up to the empty line after the last chunk.
func skipTrailer(in *bufio.Reader) error {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			return err
		}
	}
}
