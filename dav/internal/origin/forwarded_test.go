package origin

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
)

// TestOriginOfConnection: if no proxy reports the scheme, it is that of the connection.
func TestOriginOfConnection(t *testing.T) {
	s := Server{Proxies: Proxies{netip.MustParsePrefix("192.0.2.1/32")}}
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
			if scheme, host := s.Of(r); scheme != c.want || host != "davd.test" {
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
	proxies := Proxies{netip.MustParsePrefix("192.0.2.0/24")}
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
