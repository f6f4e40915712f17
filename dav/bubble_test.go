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

// bubbleServer is a server whose connections are in memory, so that clients and
// server live in one bubble of virtual time.
type bubbleServer struct {
	testing.TB
	listener *pipeListener
}

// serveBubble serves h until the test is at its end. It is to be called in a bubble.
func serveBubble(t *testing.T, h *dav.Handler) *bubbleServer {
	t.Helper()
	s := &bubbleServer{TB: t, listener: &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}}
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(s.listener) //nolint:errcheck // ends with http.ErrServerClosed
	t.Cleanup(func() {
		_ = server.Close()
		time.Sleep(time.Second) // virtual: net/http lingers over what it has not read
	})
	return s
}

// bubbleClient is one connection.
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

// ask sends a request: a request line without HTTP/1.1, and fields.
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

// final reads responses up to the final one.
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

// gets asks and reads the final response.
func (c *bubbleClient) gets(line string, fields ...string) answer {
	c.Helper()
	c.ask(line, fields...)
	_, final := c.final()
	return final
}
