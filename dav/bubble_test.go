package dav_test

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/dav"
)

// bubbleServer is a server with connections in memory, so that clients and server share
// one bubble of virtual time.
type bubbleServer struct {
	testing.TB
	listener *pipeListener
}

// serveBubble serves h until the test ends. It must be called in a bubble.
func serveBubble(t *testing.T, h *dav.Handler) *bubbleServer {
	t.Helper()
	s := &bubbleServer{TB: t, listener: &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}}
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(s.listener) //nolint:errcheck // ends with http.ErrServerClosed
	t.Cleanup(func() {
		_ = server.Close()
		time.Sleep(time.Second) // virtual; net/http waits after closing a connection with unread data
	})
	return s
}

// bubbleClient is a client with one connection.
type bubbleClient struct {
	*bubbleServer
	net.Conn
	in *bufio.Reader
}

func (s *bubbleServer) dial() *bubbleClient {
	s.Helper()
	client, serverSide := net.Pipe()
	s.listener.conns <- serverSide
	s.Cleanup(func() { _ = client.Close() })
	return &bubbleClient{s, client, bufio.NewReader(client)}
}

// ask sends a request: a request line without HTTP/1.1, and header fields.
func (c *bubbleClient) ask(line string, fields ...string) {
	c.Helper()
	c.send(line, "", fields...)
}

// send is ask with a body.
func (c *bubbleClient) send(line, body string, fields ...string) {
	c.Helper()
	lines := append([]string{line + " HTTP/1.1", "Host: davd.test"}, fields...)
	if body != "" {
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(body)))
	}
	request := strings.Join(lines, "\r\n") + "\r\n\r\n" + body
	if _, err := io.WriteString(c.Conn, request); err != nil {
		c.Fatal(err)
	}
}

// next reads a response, interim or final.
func (c *bubbleClient) next() answer {
	c.Helper()
	return readAnswer(c, c.in)
}

// final reads responses up to and including the final one.
func (c *bubbleClient) final() (interims []answer, final answer) {
	c.Helper()
	for {
		a := c.next()
		if a.status >= 200 {
			return interims, a
		}
		interims = append(interims, a)
	}
}

// gets sends a request and returns the final response.
func (c *bubbleClient) gets(line string, fields ...string) answer {
	c.Helper()
	c.ask(line, fields...)
	_, final := c.final()
	return final
}
