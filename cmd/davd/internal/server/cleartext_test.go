package server_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/davd/davd/cmd/davd/internal/server"
)

// TestCleartextHTTP2 checks that a proxy can speak HTTP/2 without TLS, and others HTTP/1.1.
func TestCleartextHTTP2(t *testing.T) {
	listeners := listen(t, "127.0.0.1:0")
	ctx, stop := context.WithCancel(t.Context())
	srv := &server.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }),
		Log:     slog.New(slog.DiscardHandler),
		Grace:   time.Minute,
	}
	served := make(chan error)
	go func() { served <- srv.Serve(ctx, listeners) }()
	for _, want := range []string{"HTTP/1.1", "HTTP/2.0"} {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(want == "HTTP/1.1")
		protocols.SetUnencryptedHTTP2(want == "HTTP/2.0")
		transport := &http.Transport{Protocols: protocols}
		answer, err := (&http.Client{Transport: transport}).Get("http://" + listeners[0].Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || string(body) != want {
			t.Errorf("%s, %v; want %s", body, err, want)
		}
		answer.Body.Close()
		transport.CloseIdleConnections()
	}
	if got, ok := settings(t, listeners[0].Addr().String()).Value(http2.SettingMaxFrameSize); !ok || got > 64<<10 {
		t.Errorf("a frame may have %d bytes", got)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// settings returns what the server says at the beginning of a connection.
func settings(t *testing.T, addr string) *http2.SettingsFrame {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	frame, err := framer.ReadFrame()
	found, ok := frame.(*http2.SettingsFrame)
	if !ok {
		t.Fatalf("%v, %v; want settings", frame, err)
	}
	return found
}
