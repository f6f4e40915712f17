package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/state"
)

// sendfileListener records what is passed to the ReadFrom of its connections.
type sendfileListener struct {
	net.Listener
	given chan string // the type of the source, and how many bytes
}

type sendfileConn struct {
	*net.TCPConn
	given chan string
}

func (l *sendfileListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, fmt.Errorf("a %T", conn)
	}
	return &sendfileConn{tcp, l.given}, nil
}

// ReadFrom implements io.ReaderFrom. net/http passes files to it, and net.TCPConn calls
// sendfile(2) for an *os.File or an io.LimitedReader of one.
func (c *sendfileConn) ReadFrom(source io.Reader) (int64, error) {
	what := fmt.Sprintf("%T", source)
	if limited, ok := source.(*io.LimitedReader); ok {
		what = fmt.Sprintf("%T", limited.R)
	}
	n, err := c.TCPConn.ReadFrom(source)
	c.given <- fmt.Sprintf("%d bytes of a %s", n, what)
	return n, err
}

// TestSendfile checks that the kernel still sends files and ranges of them directly to the
// connection when the log and the password check are in between.
func TestSendfile(t *testing.T) {
	const size, sniffed = 1 << 20, 512 // net/http writes the first bytes with the header
	dir := t.TempDir()
	share, users := filepath.Join(dir, "share"), filepath.Join(dir, "users")
	for _, err := range []error{
		os.Mkdir(share, 0o700),
		os.WriteFile(filepath.Join(share, "file.bin"), make([]byte, size), 0o600),
		os.WriteFile(users, []byte("ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cfg := config.New(config.Defaults{"state": "mem", "htpasswd": users, "addr": "127.0.0.1:0"})
	if err := cfg.Read(share); err != nil {
		t.Fatal(err)
	}
	given := serveRecording(t, cfg)
	for _, c := range []struct {
		name, ranges string
		sent         int
	}{
		{"RFC 9110 §9.3.1", "", size - sniffed},
		{"RFC 9110 §14.2", "bytes=100000-", size - 100000 - sniffed},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, given.url+"/file.bin", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("ann", "secret")
		if c.ranges != "" {
			request.Header.Set("Range", c.ranges)
		}
		request.Header.Set("Accept-Encoding", "gzip, identity;q=0")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode/100 != 2 || n != response.ContentLength {
			t.Fatalf("%s: status %d, %d bytes, %v", c.name, response.StatusCode, n, err)
		}
		want := fmt.Sprintf("%d bytes of a *os.File", c.sent)
		if got := <-given.conns; got != want {
			t.Errorf("%s: the connection got %s, want %s", c.name, got, want)
		}
		if record := <-given.records; record.BytesOut != n || record.User != "ann" {
			t.Errorf("%s: recorded %+v", c.name, record)
		}
	}
}

type recording struct {
	url     string
	conns   chan string
	records chan accesslog.Record
}

// serveRecording serves like davd, with the settings in cfg, until the test ends.
func serveRecording(t *testing.T, cfg *config.Config) *recording {
	t.Helper()
	r := &recording{conns: make(chan string, 100), records: make(chan accesslog.Record, 100)}
	fsys, _, err := openStorage(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	users, err := openUsers(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := state.Open(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{
		frontage: frontage{cfg: cfg, users: users, log: log, done: func(_ *http.Request, record accesslog.Record) { r.records <- record }},
		fsys:     fsys, state: kept,
	}
	listeners, err := server.Listen(t.Context(), cfg.Addrs)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listeners {
		l.Listener = &sendfileListener{l.Listener, r.conns}
	}
	r.url = "http://" + listeners[0].Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	srv := &server.Server{Handler: s.front(s.newHandler()), Log: log, Grace: time.Second}
	go func() { ended <- srv.Serve(ctx, listeners) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
