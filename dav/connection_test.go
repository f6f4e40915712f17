package dav_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// connection is a connection to the server of a share, for requests that net/http's
// client would not send.
type connection struct {
	*share
	conn net.Conn
	in   *bufio.Reader
}

func (s *share) dial() *connection {
	s.Helper()
	conn, err := (&net.Dialer{}).DialContext(s.Context(), "tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		s.Fatal(err)
	}
	return &connection{share: s, conn: conn, in: bufio.NewReader(conn)}
}

// write sends text, with CR and LF in place of each newline. If text lacks the line
// "Host: x", write adds it.
func (c *connection) write(text string) {
	c.Helper()
	line, rest, isRequest := strings.Cut(text, " HTTP/1.1\n")
	if isRequest {
		text = line + " HTTP/1.1\nHost: x\n" + rest
	}
	if _, err := io.WriteString(c.conn, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		c.Fatal(err)
	}
}

// end closes the sending side and keeps reading.
func (c *connection) end() {
	c.Helper()
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok {
		c.Fatalf("%T can't be half closed", c.conn)
	}
	if err := half.CloseWrite(); err != nil {
		c.Fatal(err)
	}
}

// status reads a status line and header.
func (c *connection) status() int {
	c.Helper()
	return c.response().status
}

// response reads a response, interim or final.
func (c *connection) response() answer {
	c.Helper()
	return readAnswer(c, c.in)
}

// readAnswer reads a response, interim or final.
func readAnswer(t testing.TB, in *bufio.Reader) answer {
	t.Helper()
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(content)}
}
