package dav

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/davd/davd/storage"
)

// TestClientKey: the key under which a request counts for the limits of one client.
func TestClientKey(t *testing.T) {
	const proxy = "198.51.100.7:443"
	for _, c := range []struct{ name, user, tenant, remote, forwarded, want string }{
		{name: "a principal at any address", user: "ann", remote: "192.0.2.1:5", want: "user /ann"},
		{name: "a principal of a tenant", user: "ann", tenant: "x", remote: "192.0.2.1:5", want: "user /.davd-tenant-x/ann"},
		{name: "a principal like an address", user: "192.0.2.1", remote: "192.0.2.1:5", want: "user /192.0.2.1"},
		{name: "an address", remote: "192.0.2.1:5", want: "192.0.2.1"},
		{name: "an address with an untrusted header", remote: "192.0.2.1:5", forwarded: "203.0.113.9", want: "192.0.2.1"},
		{name: "an address of a tenant", tenant: "x", remote: "192.0.2.1:5", want: "192.0.2.1"},
		{name: "IPv4 in IPv6", remote: "[::ffff:192.0.2.1]:5", want: "192.0.2.1"},
		{name: "IPv6: the client's network", remote: "[2001:db8:1:2:3:4:5:6]:5", want: "2001:db8:1:2::"},
		{name: "another address of the same network", remote: "[2001:db8:1:2:ffff::1]:5", want: "2001:db8:1:2::"},
		{name: "with a zone", remote: "[fe80::1%eth0]:5", want: "fe80::"},
		{name: "this machine, maybe a proxy", remote: "127.0.0.1:5", want: "several 127.0.0.1"},
		{name: "the same with IPv6", remote: "[::1]:5", want: "several ::1"},
		{name: "a Unix socket", remote: "@", want: "several local"},
		{name: "reported by a trusted proxy", remote: proxy, forwarded: "203.0.113.9", want: "203.0.113.9"},
		{name: "reported by a trusted proxy, IPv6", remote: proxy, forwarded: "2001:db8::5", want: "2001:db8::"},
		{name: "sent by a client, then reported by a trusted proxy", remote: proxy, forwarded: "203.0.113.1, 203.0.113.9", want: "203.0.113.9"},
		{name: "a trusted proxy that reports nothing", remote: proxy, want: "several 198.51.100.7"},
		{name: "a proxy of this machine behind a trusted one", remote: proxy, forwarded: "127.0.0.1", want: "several 127.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &Handler{
				Principal:      func(*http.Request) string { return c.user },
				TrustedProxies: TrustedProxies{netip.MustParsePrefix("198.51.100.0/24")},
			}
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = c.remote
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if c.tenant != "" {
				r = r.WithContext(storage.WithTenant(r.Context(), c.tenant))
			}
			if got := parsedRequest(h, r).client(); got != c.want {
				t.Errorf("client is %q, want %q", got, c.want)
			}
		})
	}
}
