package main

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

// TestClient sends two requests on one connection. If some of the first answer were not read,
// the client would mistake it for the second answer.
func TestClient(t *testing.T) {
	tests := []struct {
		name, answer string
		read         reader
		status       int
		length       int64
		interim      int
	}{
		{"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", skip, 200, 5, 0},
		{"names in any case", "HTTP/1.1 200 OK\r\ncontent-LENGTH:5\r\n\r\nhello", skip, 200, 5, 0},
		{"empty", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", skip, 201, 0, 0},
		{"[RFC9112:S6.3] 204 without a length", "HTTP/1.1 204 No Content\r\n\r\n", skip, 204, 0, 0},
		{"[RFC9112:S7.1] chunked", "HTTP/1.1 207 Multi-Status\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", skip, 207, 5, 0},
		{"[RFC9112:S7.1.2] with a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n0\r\nA: b\r\n\r\n", skip, 200, 1, 0},
		{"[RFC9110:S15.2] after interim responses", "HTTP/1.1 102 Processing\r\nProgress: 1/2\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", skip, 201, 0, 2},
		{"dropped in the kernel", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100_000), drop, 200, 100_000, 0},
		{"the expected content", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", expect([]byte("hello")), 200, 5, 0},
		{"the expected content, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", expect([]byte("hello")), 200, 5, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := clientOf(t, test.answer+"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")
			a, err := c.do(t.Context(), "GET", "/", nil, nil, test.read, true)
			if err != nil || a.status != test.status || a.length != test.length || c.interim != test.interim {
				t.Fatalf("got %+v, %d interim responses, %v; want status %d, length %d, %d interim responses", a, c.interim, err, test.status, test.length, test.interim)
			}
			if a, err := c.do(t.Context(), "GET", "/", nil, nil, expect([]byte("next")), false); err != nil {
				t.Fatalf("the next answer: %+v, %v", a, err)
			}
		})
	}
}

func TestClientFails(t *testing.T) {
	tests := []struct{ name, answer, want string }{
		{"refused", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "403"},
		{"an unexpected 207", "HTTP/1.1 207 Multi-Status\r\nContent-Length: 0\r\n\r\n", "207"},
		{"different content", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhullo", "wrong: different content"},
		{"a longer content", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!", "wrong: different content"},
		{"a shorter content", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell", "wrong: different content"},
		{"cut off", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "wrong: different content"},
		{"ended", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "broke"},
		{"no status", "HTTP/1.1 OK\r\n\r\n", "broke"},
		{"no length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "broke"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := clientOf(t, test.answer).do(t.Context(), "GET", "/", nil, nil, expect([]byte("hello")), false)
			if err == nil || failure(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestClientTimesOut(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(10*time.Millisecond))
	defer cancel()
	c := &client{addr: l.Addr().String(), buf: make([]byte, 64)}
	err = c.redial(ctx)
	if err == nil {
		_, err = c.do(ctx, "GET", "/", nil, nil, skip, false)
		c.close()
	}
	if err == nil || !strings.HasPrefix(failure(err), "none in") {
		t.Errorf("got %v", err)
	}
}

func TestReadHeaderCloses(t *testing.T) {
	h, err := readHeader(bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n")))
	if err != nil || !h.closes || h.length != -1 {
		t.Errorf("got %+v, %v", h, err)
	}
}

// clientOf returns a client of a server that sends text and closes the connection.
func clientOf(t *testing.T, text string) *client {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = conn.Write([]byte(text))
			if tcp, ok := conn.(*net.TCPConn); ok {
				err = errors.Join(err, tcp.CloseWrite()) // a reset would lose data that has not arrived
			}
			t.Cleanup(func() { conn.Close() })
		}
		sent <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	c, err := dial(ctx, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.close()
		l.Close()
		if err := <-sent; err != nil {
			t.Log(err)
		}
	})
	return c
}
