package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/davd/davd/cmd/davd/internal/server"
)

// TestProxyProtocol checks who may name the address of the client, and that TLS comes after that.
func TestProxyProtocol(t *testing.T) {
	v1 := "PROXY TCP4 203.0.113.5 192.0.2.1 4711 80\r\n"
	var v2 bytes.Buffer
	header := &proxyproto.Header{
		Version: 2, Command: proxyproto.PROXY, TransportProtocol: proxyproto.TCPv6,
		SourceAddr: &net.TCPAddr{IP: net.ParseIP("2001:db8::5"), Port: 4711}, DestinationAddr: &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 80},
	}
	if _, err := header.WriteTo(&v2); err != nil {
		t.Fatal(err)
	}
	var unix bytes.Buffer
	header = &proxyproto.Header{
		Version: 2, Command: proxyproto.PROXY, TransportProtocol: proxyproto.UnixStream,
		SourceAddr: &net.UnixAddr{Name: "/a", Net: "unix"}, DestinationAddr: &net.UnixAddr{Name: "/b", Net: "unix"},
	}
	if _, err := header.WriteTo(&unix); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, trusted, sent string
		secure              bool
		want                string // the remote address, a status line, or "" for a closed connection
	}{
		{"version 1", "127.0.0.0/8", v1, false, "203.0.113.5:4711"},
		{"version 2", "127.0.0.0/8", v2.String(), false, "[2001:db8::5]:4711"},
		{"TLS", "127.0.0.0/8", v1, true, "203.0.113.5:4711"},
		{"unknown client", "127.0.0.0/8", "PROXY UNKNOWN\r\n", false, "127.0.0.1:"},
		{"no header", "127.0.0.0/8", "", false, ""},
		{"a Unix socket", "127.0.0.0/8", unix.String(), false, ""},
		{"broken", "127.0.0.0/8", "PROXY TCP4 nonsense\r\n", false, ""},
		{"not trusted", "192.0.2.0/24", v1, false, "400 Bad Request"},
		{"not trusted, no header", "192.0.2.0/24", "", false, "127.0.0.1:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := &server.Server{
				Handler:       http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) }),
				Log:           slog.New(slog.DiscardHandler),
				Grace:         time.Minute,
				ProxyProtocol: []netip.Prefix{netip.MustParsePrefix(c.trusted)},
			}
			if c.secure {
				dir := t.TempDir()
				writeCertificate(t, dir, 1)
				cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
				if err != nil {
					t.Fatal(err)
				}
				srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			}
			listeners := listen(t, "127.0.0.1:0")
			ctx, stop := context.WithCancel(t.Context())
			served := make(chan error)
			go func() { served <- srv.Serve(ctx, listeners) }()
			conn, err := net.Dial("tcp", listeners[0].Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, c.sent); err != nil {
				t.Fatal(err)
			}
			if c.secure {
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
			}
			got, err := get(conn)
			if c.want == "" && err == nil && !strings.HasPrefix(got, "400") || c.want != "" && !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, error %v, want %q", got, err, c.want)
			}
			stop()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}
