package forwarded_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/forwarded"
	"github.com/davd/davd/dav"
)

func trusted(texts ...string) (list dav.TrustedProxies) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// serve starts a server at a socket of network. do sends a request and returns the
// addresses that the handlers see: before Undo (outer) and after it (inner).
func serve(t *testing.T, network string, list dav.TrustedProxies) (do func(fields ...string) (outer, inner string)) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), network, addr)
	if err != nil {
		t.Fatal(err)
	}
	var outer, inner string
	undo := forwarded.Undo(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inner = r.RemoteAddr }))
	server := httptest.NewUnstartedServer(&forwarded.Handler{Trusted: list, Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outer = r.RemoteAddr
		undo.ServeHTTP(w, r)
		if r.RemoteAddr != outer {
			t.Errorf("what is outside sees %s change to %s", outer, r.RemoteAddr)
		}
	})})
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return func(fields ...string) (string, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://davd.test/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range fields {
			name, value, _ := strings.Cut(field, ": ")
			r.Header.Add(name, value)
		}
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return outer, inner
	}
}

// itself stands for the address of the connection.
const itself = "127.0.0.1:"

func TestClient(t *testing.T) {
	proxies := trusted("127.0.0.0/8", "192.0.2.0/24")
	for _, c := range []struct {
		name    string
		trusted dav.TrustedProxies
		fields  []string
		want    string
	}{
		{"no trusted proxy", nil, []string{"X-Forwarded-For: 203.0.113.5"}, itself},
		{"an untrusted proxy", trusted("192.0.2.0/24"), []string{"X-Forwarded-For: 203.0.113.5"}, itself},
		{"an untrusted client that names a proxy", trusted("192.0.2.0/24"), []string{"X-Forwarded-For: 203.0.113.5, 192.0.2.1"}, itself},
		{"a trusted proxy", proxies, []string{"X-Forwarded-For: 203.0.113.5"}, "203.0.113.5:0"},
		{"a forged header", proxies, []string{"X-Forwarded-For: 198.51.100.1, 203.0.113.5"}, "203.0.113.5:0"},
		{"a forged separate header", proxies, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.5"}, "203.0.113.5:0"},
		{"through two proxies", proxies, []string{"X-Forwarded-For: 198.51.100.1, 203.0.113.5, 192.0.2.7"}, "203.0.113.5:0"},
		{"from a proxy itself", proxies, []string{"X-Forwarded-For: 192.0.2.8,192.0.2.7"}, "192.0.2.8:0"},
		{"IPv6", proxies, []string{"X-Forwarded-For: 2001:db8::1"}, "[2001:db8::1]:0"},
		{"IPv6 in brackets", proxies, []string{"X-Forwarded-For: [2001:db8::1]"}, "[2001:db8::1]:0"},
		{"IPv6 with a port", proxies, []string{"X-Forwarded-For: [2001:db8::1]:4711"}, "[2001:db8::1]:0"},
		{"IPv4 with a port", proxies, []string{"X-Forwarded-For: 203.0.113.5:4711"}, "203.0.113.5:0"},
		{"IPv4-mapped", proxies, []string{"X-Forwarded-For: 203.0.113.5, ::ffff:192.0.2.7"}, "203.0.113.5:0"},
		{"RFC 7239 §6.3 unknown", proxies, []string{"X-Forwarded-For: unknown"}, itself},
		{"unknown behind a proxy", proxies, []string{"X-Forwarded-For: 203.0.113.5, unknown, 192.0.2.7"}, "192.0.2.7:0"},
		{"empty", proxies, []string{"X-Forwarded-For: "}, itself},
		{"no header", proxies, nil, itself},
		{"headers that may be forged", proxies, []string{"Forwarded: for=203.0.113.5", "X-Real-IP: 203.0.113.5"}, itself},
	} {
		t.Run(c.name, func(t *testing.T) {
			outer, inner := serve(t, "tcp", c.trusted)(c.fields...)
			if outer != c.want && (c.want != itself || !strings.HasPrefix(outer, itself)) {
				t.Errorf("the client is %s, want %s", outer, c.want)
			}
			if !strings.HasPrefix(inner, itself) {
				t.Errorf("the connection is from %s", inner)
			}
		})
	}
}

// TestUnixSocket checks that the other end of a Unix socket is trusted if any proxy is.
func TestUnixSocket(t *testing.T) {
	const field = "X-Forwarded-For: 203.0.113.5"
	if outer, inner := serve(t, "unix", trusted("127.0.0.1/32"))(field); outer != "203.0.113.5:0" || inner != "@" && inner != "" {
		t.Errorf("the client is %q, the connection from %q", outer, inner)
	}
	if outer, _ := serve(t, "unix", nil)(field); outer == "203.0.113.5:0" {
		t.Errorf("the client is %q", outer)
	}
}
