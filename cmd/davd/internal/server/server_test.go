package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
)

func listen(t *testing.T, texts ...string) []*server.Listener {
	t.Helper()
	listeners, err := server.Listen(t.Context(), addrs(t, texts...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, l := range listeners {
			l.Close()
		}
	})
	return listeners
}

func addrs(t *testing.T, texts ...string) []config.Addr {
	t.Helper()
	c := config.New(config.Defaults{"addr": strings.Join(texts, ",")})
	if err := c.Read(""); err != nil {
		t.Fatal(err)
	}
	return c.Addrs
}

// get sends a request over conn, closes it and returns the answer.
func get(conn net.Conn) (string, error) {
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: davd\r\n\r\n"); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestServeSeveral(t *testing.T) {
	listeners := listen(t, "127.0.0.1:0", "localhost:0", "unix:"+t.TempDir()+"/s.sock")
	ctx, stop := context.WithCancel(t.Context())
	srv := &server.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }),
		Log:     slog.New(slog.DiscardHandler),
		Grace:   time.Minute,
	}
	served := make(chan error)
	go func() { served <- srv.Serve(ctx, listeners) }()
	for _, l := range listeners {
		conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if body, err := get(conn); err != nil || body != "here" {
			t.Errorf("%s: got %q, error %v", l.Addr(), body, err)
		}
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	for _, l := range listeners {
		if conn, err := net.Dial(l.Addr().Network(), l.Addr().String()); err == nil {
			conn.Close()
			t.Errorf("%s: somebody still listens", l.Addr())
		}
	}
}

func TestServeStoppedBefore(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	srv := &server.Server{Log: slog.New(slog.DiscardHandler), Grace: time.Minute}
	if err := srv.Serve(ctx, listen(t, "127.0.0.1:0", "127.0.0.1:0")); err != nil {
		t.Error(err)
	}
}

func TestServeFailedListener(t *testing.T) {
	listeners := listen(t, "127.0.0.1:0", "127.0.0.1:0")
	listeners[1].Close()
	srv := &server.Server{Log: slog.New(slog.DiscardHandler), Grace: time.Minute}
	if err := srv.Serve(t.Context(), listeners); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got error %v", err)
	}
}

// pipes is a listener for in-memory connections, which work with the fake clock of synctest.
type pipes struct {
	net.Listener
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "pipe"} }

func (p *pipes) dial() net.Conn {
	client, conn := net.Pipe()
	p.conns <- conn
	return client
}

// TestStop stops a server while a request is running.
func TestStop(t *testing.T) {
	const grace = 10 * time.Second
	for _, tt := range []struct {
		name     string
		takes    time.Duration // how long the request runs
		shutdown time.Duration // how long Server.Shutdown runs, even after its context has ended
		lasts    time.Duration // how long stopping takes
		answered bool
		logs     string
	}{
		{"finishes", 3 * time.Second, 3 * time.Second, 3 * time.Second, true, ""},
		{"is no operation", 3 * time.Second, 0, 3 * time.Second, true, ""},
		{"is stopped by Shutdown", 11 * time.Second, 11 * time.Second, 11 * time.Second, true, "operations were stopped"},
		{"is cut off", time.Hour, 0, 11 * time.Second, false, "connections were cut off"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				ctx, stop := context.WithCancel(t.Context())
				srv := &server.Server{
					Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						select {
						case <-time.After(tt.takes):
						case <-r.Context().Done():
						}
						_, _ = io.WriteString(w, "done")
					}),
					Shutdown: func(ctx context.Context) error {
						time.Sleep(tt.shutdown)
						return ctx.Err()
					},
					Log:   slog.New(slog.NewTextHandler(&log, nil)),
					Grace: grace,
				}
				pipes := newPipes()
				served := make(chan error)
				go func() { served <- srv.Serve(ctx, []*server.Listener{{Listener: pipes}}) }()
				answered := make(chan bool, 1)
				go func() {
					body, err := get(pipes.dial())
					answered <- err == nil && body == "done"
				}()
				synctest.Wait()
				stop()
				start := time.Now()
				if err := <-served; err != nil {
					t.Error(err)
				}
				// net/http looks for drained connections twice a second.
				if lasted := time.Since(start); lasted < tt.lasts || lasted > tt.lasts+time.Second {
					t.Errorf("stopping lasted %v, want %v", lasted, tt.lasts)
				}
				if got := <-answered; got != tt.answered {
					t.Errorf("the request is answered: %v, want %v", got, tt.answered)
				}
				warned := strings.Contains(log.String(), "level=WARN")
				if warned != (tt.logs != "") || !strings.Contains(log.String(), tt.logs) {
					t.Errorf("the log is\n%s", log.String())
				}
			})
		})
	}
}

func TestErrorLog(t *testing.T) {
	var log bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	srv := &server.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.WriteHeader(http.StatusOK)
			panic("oh")
		}),
		Log:   slog.New(slog.NewTextHandler(&log, nil)),
		Grace: time.Minute,
	}
	listeners := listen(t, "127.0.0.1:0")
	served := make(chan error)
	go func() { served <- srv.Serve(ctx, listeners) }()
	conn, err := net.Dial("tcp", listeners[0].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if body, err := get(conn); err == nil {
		t.Errorf("got %q", body)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	for _, want := range []string{`level=WARN msg="http: superfluous`, `level=ERROR msg="http: panic serving`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in\n%s", want, log.String())
		}
	}
}
