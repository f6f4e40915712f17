package dav

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestForwardedHostSyntax(t *testing.T) {
	for _, c := range []struct {
		name, host string
		ok         bool
	}{
		{"RFC 9110 §7.2 name", "public.test", true},
		{"RFC 9110 §7.2 name and port", "public.test:8443", true},
		{"upper case", "Public.TEST", true},
		{"one label", "nas", true},
		{"underscore", "my_nas.lan", true},
		{"trailing dot", "public.test.", true},
		{"RFC 3986 §3.2.2 IPv4", "192.0.2.1:80", true},
		{"RFC 3986 §3.2.2 IPv6", "[2001:db8::1]", true},
		{"RFC 3986 §3.2.2 IPv6 and port", "[2001:db8::1]:443", true},
		{"the longest name", strings.Repeat("a.", 126) + "a", true},
		{"too long a name", strings.Repeat("a.", 127), false},
		{"empty", "", false},
		{"only a port", ":80", false},
		{"empty port", "public.test:", false},
		{"port 0", "public.test:0", false},
		{"port 65536", "public.test:65536", false},
		{"a sign before the port", "public.test:+80", false},
		{"a service for a port", "public.test:http", false},
		{"two ports", "public.test:80:80", false},
		{"RFC 3986 §3.2.1 user information", "me@public.test", false},
		{"a password", "me:secret@public.test", false},
		{"a space", "public .test", false},
		{"a tab", "public\t.test", false},
		{"a line end", "public.test\r\nX: y", false},
		{"NUL", "public\x00.test", false},
		{"a path", "public.test/x", false},
		{"a query", "public.test?x", false},
		{"a fragment", "public.test#x", false},
		{"a backslash", `public.test\x`, false},
		{"a URL", "https://public.test", false},
		{"markup", "<public.test>", false},
		{"quotes", `"public.test"`, false},
		{"percent-encoded", "public%2Etest", false},
		{"not ASCII", "öffentlich.test", false},
		{"IPv6 without brackets", "2001:db8::1", false},
		{"IPv6, no end", "[2001:db8::1", false},
		{"IPv6, no end, and a port", "[1:2:3:4:5:6:7:8:9", false},
		{"IPv6, no begin", "2001:db8::1]", false},
		{"IPv6, something after it", "[2001:db8::1]x", false},
		{"IPv6 with a zone", "[fe80::1%25eth0]", false},
		{"IPv4 in brackets", "[192.0.2.1]", false},
		{"a name in brackets", "[public.test]", false},
		{"RFC 7239 §6 unknown is an ordinary name", "unknown", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := ""
			if c.ok {
				want = c.host
			}
			if got := forwardedHost(c.host); got != want {
				t.Errorf("%q is %q, want %q", c.host, got, want)
			}
		})
	}
}

// TestOriginOfConnection: if no proxy reports the scheme, it is that of the connection.
func TestOriginOfConnection(t *testing.T) {
	h := &Handler{TrustedProxies: TrustedProxies{netip.MustParsePrefix("192.0.2.1/32")}}
	for _, c := range []struct {
		name, proto, want string
		tls               bool
	}{
		{"HTTP", "", "http", false},
		{"TLS", "", "https", true},
		{"TLS only to the proxy", "https", "https", false},
		{"TLS only from the proxy", "http", "http", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{Host: "davd.test", RemoteAddr: "192.0.2.1:5", Header: http.Header{"X-Forwarded-Proto": {c.proto}}}
			if c.tls {
				r.TLS = new(tls.ConnectionState)
			}
			if scheme, host := h.origin(r); scheme != c.want || host != "davd.test" {
				t.Errorf("%s %s, want %s", scheme, host, c.want)
			}
		})
	}
}

// FuzzForwarded: any headers yield either nothing or the scheme and host of a URL, and
// a proxy's element counts, whatever comes before it.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{
		"", "https", "public.test:8443, inner.test", `for=203.0.113.5;proto=https;host="public.test:8443"`,
		`for="_gazonk", for="[2001:db8::1]:4711";host=a`, `host="a\"b;c,d`, "for=192.0.2.9;host=[::1]:80, for=192.0.2.9",
	} {
		f.Add(seed, seed, seed, "203.0.113.5, 192.0.2.9")
	}
	proxies := TrustedProxies{netip.MustParsePrefix("192.0.2.0/24")}
	f.Fuzz(func(t *testing.T, proto, host, forwarded, addresses string) {
		r := &http.Request{RemoteAddr: "192.0.2.1:5", Header: http.Header{
			"X-Forwarded-Proto": {proto}, "X-Forwarded-Host": {host}, "X-Forwarded-For": {addresses}, "Forwarded": {forwarded},
		}}
		scheme, name := proxies.origin(r)
		if scheme != "" && scheme != "http" && scheme != "https" {
			t.Errorf("scheme %q", scheme)
		}
		if u, err := url.Parse("http://" + name + "/x"); name != "" && (err != nil || u.Host != name || u.User != nil || u.Path != "/x" || u.Port() == "0") {
			t.Errorf("host %q: %v, %v", name, u, err)
		}
		r.Header = http.Header{"Forwarded": {forwarded, "for=203.0.113.5;proto=https;host=public.test"}}
		if scheme, name := proxies.origin(r); scheme != "https" || name != "public.test" {
			t.Errorf("behind a proxy's own element: %s %s", scheme, name)
		}
	})
}
