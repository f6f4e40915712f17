package dav

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/davd/davd/storage"
)

// TestClientKey: whose limits a request counts against.
func TestClientKey(t *testing.T) {
	const proxy = "198.51.100.7:443"
	for _, c := range []struct{ name, user, tenant, remote, forwarded, want string }{
		{name: "a principal, wherever it is", user: "ann", remote: "192.0.2.1:5", want: "user /ann"},
		{name: "a principal of a tenant", user: "ann", tenant: "x", remote: "192.0.2.1:5", want: "user /.davd-tenant-x/ann"},
		{name: "a principal like an address", user: "192.0.2.1", remote: "192.0.2.1:5", want: "user /192.0.2.1"},
		{name: "an address", remote: "192.0.2.1:5", want: "192.0.2.1"},
		{name: "whose header is a stranger's word", remote: "192.0.2.1:5", forwarded: "203.0.113.9", want: "192.0.2.1"},
		{name: "an address in whichever tenant", tenant: "x", remote: "192.0.2.1:5", want: "192.0.2.1"},
		{name: "IPv4 in IPv6", remote: "[::ffff:192.0.2.1]:5", want: "192.0.2.1"},
		{name: "IPv6: the network of one client", remote: "[2001:db8:1:2:3:4:5:6]:5", want: "2001:db8:1:2::"},
		{name: "another address of that network", remote: "[2001:db8:1:2:ffff::1]:5", want: "2001:db8:1:2::"},
		{name: "with a zone", remote: "[fe80::1%eth0]:5", want: "fe80::"},
		{name: "this machine, where a proxy may stand", remote: "127.0.0.1:5", want: "several 127.0.0.1"},
		{name: "the same with IPv6", remote: "[::1]:5", want: "several ::1"},
		{name: "a Unix socket", remote: "@", want: "several local"},
		{name: "told by a trusted proxy", remote: proxy, forwarded: "203.0.113.9", want: "203.0.113.9"},
		{name: "told by a trusted proxy with IPv6", remote: proxy, forwarded: "2001:db8::5", want: "2001:db8::"},
		{name: "told by a client, and then by a trusted proxy", remote: proxy, forwarded: "203.0.113.1, 203.0.113.9", want: "203.0.113.9"},
		{name: "a trusted proxy that does not tell", remote: proxy, want: "several 198.51.100.7"},
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
			if got := h.client(r); got != c.want {
				t.Errorf("client is %q, want %q", got, c.want)
			}
		})
	}
}
