package proxy_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/davd/davd/dav/proxy"
)

// rawUpstream answers the requests of each connection with the given bytes, one after the
// other, and closes the connection after the last. It counts the connections.
func rawUpstream(t *testing.T, answers ...string) (address string, connections *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	connections = new(atomic.Int64)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for _, answer := range answers {
					r, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(conn, answer)
				}
			}()
		}
	}()
	return listener.Addr().String(), connections
}

// TestDirect tests what the connections of safe requests must notice: RFC 9112 §9.
func TestDirect(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, c := range []struct {
		name        string
		answers     []string
		want        []string // the content of each answer, or "error"
		connections int64
	}{
		{name: "§9.3 kept", answers: []string{ok, ok, ok}, want: []string{"ok", "ok", "ok"}, connections: 1},
		{name: "§9.3.1 closed while idle: repeated on a new one", answers: []string{ok}, want: []string{"ok", "ok", "ok"}, connections: 3},
		{name: "§9.6 close", answers: []string{strings.Replace(ok, "\r\n", "\r\nConnection: close\r\n", 1), ok}, want: []string{"ok", "ok"}, connections: 2},
		{name: "§9.2 more than was asked for is not an answer to the next", answers: []string{ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", ok}, want: []string{"ok", "ok"}, connections: 2},
		{name: "RFC 9110 §15.2 interim responses", answers: []string{"HTTP/1.1 103 Early Hints\r\n\r\n" + strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 3) + ok, ok}, want: []string{"ok", "ok"}, connections: 1},
		{name: "RFC 9110 §15.2.2 101 without an upgrade", answers: []string{"HTTP/1.1 101 Switching Protocols\r\n\r\n"}, want: []string{"error"}, connections: 1},
		{name: "nonsense is not repeated", answers: []string{"nonsense\r\n\r\n"}, want: []string{"error"}, connections: 1},
		{name: "no answer on a new connection is not repeated", answers: []string{""}, want: []string{"error"}, connections: 1},
		{name: "a long header", answers: []string{"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 2<<20) + "\r\n\r\n"}, want: []string{"error"}, connections: 1},
		{name: "§8 an incomplete answer", answers: []string{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"}, want: []string{"error"}, connections: 1},
		{name: "§7.1 chunks", answers: []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", ok}, want: []string{"ok", "ok"}, connections: 1},
		{name: "§6.3 until the end of the connection", answers: []string{"HTTP/1.1 200 OK\r\n\r\nok"}, want: []string{"ok", "ok"}, connections: 2},
		{name: "no content", answers: []string{"HTTP/1.1 204 No Content\r\n\r\n", ok}, want: []string{"", "ok"}, connections: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, connections := rawUpstream(t, c.answers...)
			transport := proxy.NewTransport(time.Minute, nil)
			for i, want := range c.want {
				if got := roundTrip(t, transport, "http://"+address+"/"); got != want {
					t.Errorf("request %d: %q, want %q", i, got, want)
				}
			}
			if got := connections.Load(); got != c.connections {
				t.Errorf("%d connections, want %d", got, c.connections)
			}
		})
	}
}

// roundTrip returns the content of the answer to a GET, or "error".
func roundTrip(t *testing.T, transport http.RoundTripper, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return "error"
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return "error"
	}
	return string(content)
}

// TestDirectCancelled: the end of the context ends a request, before and after the header.
func TestDirectCancelled(t *testing.T) {
	for _, answer := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"} {
		t.Run(strconv.Itoa(len(answer)), func(t *testing.T) {
			asked := make(chan struct{})
			upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if answer != "" {
					w.Header().Set("Content-Length", "2")
					_, _ = w.Write([]byte("o"))
					_ = http.NewResponseController(w).Flush()
				}
				close(asked)
				<-r.Context().Done()
			}))
			defer upstream.Close()
			ctx, cancel := context.WithCancel(t.Context())
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, upstream.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			go func() { <-asked; cancel() }()
			response, err := proxy.NewTransport(time.Minute, nil).RoundTrip(r)
			if err == nil {
				_, err = io.ReadAll(response.Body)
				response.Body.Close()
			}
			if err == nil {
				t.Error("no error")
			}
		})
	}
}
