package dav_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/davd/davd/dav"
)

func prefixes(texts ...string) dav.TrustedProxies {
	var t dav.TrustedProxies
	for _, text := range texts {
		t = append(t, netip.MustParsePrefix(text))
	}
	return t
}

func TestTrustedProxiesContain(t *testing.T) {
	for _, c := range []struct {
		name, addr string
		trusted    dav.TrustedProxies
		want       bool
	}{
		{"none", "192.0.2.1", nil, false},
		{"in the network", "192.0.2.77", prefixes("192.0.2.0/24"), true},
		{"outside", "192.0.3.1", prefixes("192.0.2.0/24"), false},
		{"in the second", "192.0.3.1", prefixes("192.0.2.0/24", "192.0.3.1/32"), true},
		{"IPv6", "2001:db8::1", prefixes("2001:db8::/32"), true},
		{"IPv6 with a zone", "fe80::1%eth0", prefixes("fe80::/10"), true},
		{"RFC 4291 §2.5.5.2 IPv4-mapped", "::ffff:192.0.2.1", prefixes("192.0.2.0/24"), true},
		{"no address", "", prefixes("0.0.0.0/0", "::/0"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, _ := netip.ParseAddr(c.addr)
			if got := c.trusted.Contain(addr); got != c.want {
				t.Errorf("%s: %t, want %t", addr, got, c.want)
			}
		})
	}
}

// TestForwardedHost: whose X-Forwarded-Host names this server in Destination (RFC
// 4918 §10.3) and in a Resource-Tag of If (§10.4.2).
func TestForwardedHost(t *testing.T) {
	const host = "X-Forwarded-Host: public.test"
	for _, c := range []struct {
		name    string
		trusted dav.TrustedProxies
		network string
		fields  []string
		counts  bool
	}{
		{"everybody's, by default", nil, "tcp", []string{host}, true},
		{"a trusted proxy's", prefixes("127.0.0.0/8"), "tcp", []string{host}, true},
		{"a stranger's", prefixes("192.0.2.0/24"), "tcp", []string{host}, false},
		{"a stranger's who names a proxy", prefixes("192.0.2.0/24"), "tcp", []string{host, "X-Forwarded-For: 192.0.2.1"}, false},
		{"at a Unix socket", prefixes("192.0.2.0/24"), "unix", []string{host}, true},
		{"nobody's", prefixes("127.0.0.0/8"), "tcp", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &dav.Handler{FileSystem: plant(t), TrustedProxies: c.trusted}
			do := serveAt(t, c.network, h)
			copied, tagged := http.StatusBadGateway, http.StatusPreconditionFailed
			if c.counts {
				copied, tagged = http.StatusCreated, http.StatusNoContent
			}
			if got := do("COPY", "/src", append(c.fields, "Destination: http://public.test/dst")); got != copied {
				t.Errorf("COPY is %d, want %d", got, copied)
			}
			// If the tag names another server, its list applies to no resource here,
			// and no other list holds.
			if got := do("DELETE", "/src/a.txt", append(c.fields, "If: <http://public.test/src> (Not <urn:x>) <http://davd.test/src> (<urn:x>)")); got != tagged {
				t.Errorf("DELETE is %d, want %d", got, tagged)
			}
		})
	}
}

// serveAt serves h and returns what makes a request for it and returns the
// status.
func serveAt(t *testing.T, network string, h http.Handler) (do func(method, target string, fields []string) int) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), network, addr)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return func(method, target string, fields []string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://davd.test"+target, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		setFields(r, fields)
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
}
