package interim

import (
	"net/http"
	"testing"
	"time"

	"github.com/davd/davd/dav/internal/field"
)

func TestViaHTTP10(t *testing.T) {
	for _, c := range []struct {
		name string
		via  []string
		want bool
	}{
		{"none", nil, false},
		{"empty", []string{""}, false},
		{"RFC 9110 §7.6.3 pseudonym", []string{"1.0 fred"}, true},
		{"RFC 9110 §7.6.3 example", []string{"1.0 fred, 1.1 p.example.net"}, true},
		{"RFC 9110 §7.6.3 example with 1.1", []string{"1.1 ricky, 1.1 ethel, 1.1 fred"}, false},
		{"name and version", []string{"HTTP/1.0 fred"}, true},
		{"name in lower case", []string{"http/1.0 fred"}, true},
		{"another protocol of that version", []string{"SIP/1.0 fred"}, false},
		{"comment", []string{"1.0 fred (Apache/1.1)"}, true},
		{"a comment that says 1.0", []string{"1.1 fred (Apache/1.0)"}, false},
		{"a comment with a comma", []string{"1.1 fred (a, b)"}, false},
		{"Caddy to an HTTP/1.0 client", []string{"1.0 Caddy"}, true},
		{"nghttpx", []string{"1.1 nghttpx"}, false},
		{"HTTP/2 and 3", []string{"2 a, 2.0 b, 3 c"}, false},
		{"1.0 is only the name", []string{"1.1 1.0"}, false},
		{"without a name", []string{"1.0"}, true},
		{"second header", []string{"1.1 a", "1.0 b"}, true},
		{"1.00 is not a version", []string{"1.00 a"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := field.ViaHTTP10(http.Header{"Via": c.via}); got != c.want {
				t.Errorf("%q: %t, want %t", c.via, got, c.want)
			}
		})
	}
}

func TestInterimMode(t *testing.T) {
	for mode, name := range map[Mode]string{Auto: "auto", Always: "always", Never: "never"} {
		if got := mode.String(); got != name {
			t.Errorf("%d is %q, want %q", int(mode), got, name)
		}
	}
	for _, mode := range []Mode{-1, 3} {
		if got := mode.String(); got == "" {
			t.Errorf("%d has no name", int(mode))
		}
	}
	if mode := new(Policy).Mode; mode != Auto {
		t.Errorf("the zero value is %v, want auto", mode)
	}
}

func TestInterimTimes(t *testing.T) {
	for _, c := range []struct {
		interim      Policy
		after, every time.Duration
	}{
		{Policy{}, 20 * time.Second, 20 * time.Second},
		{Policy{After: time.Second, Every: time.Minute}, time.Second, time.Minute},
		{Policy{After: -1, Every: -1}, 0, 20 * time.Second},
	} {
		if after, every := c.interim.FirstAfter(), c.interim.every(); after != c.after || every != c.every {
			t.Errorf("%+v: after %v, every %v, want %v, %v", c.interim, after, every, c.after, c.every)
		}
	}
}

func TestInterimProxy(t *testing.T) {
	for proxy, name := range map[Proxy]string{ProxyNone: "none", ProxyPass: "pass", ProxyApache: "apache"} {
		if got := proxy.String(); got != name {
			t.Errorf("%d is %q, want %q", int(proxy), got, name)
		}
	}
	if proxy := new(Policy).Proxy; proxy != ProxyNone {
		t.Errorf("the zero value is %v, want none", proxy)
	}
}

// TestProxySign: of several signs, the first one by name is reported.
func TestProxySign(t *testing.T) {
	r := &http.Request{Header: http.Header{"X-Varnish": {"1"}, "X-Forwarded-For": {"192.0.2.1"}, "Accept": {"*/*"}, "X-Forwarded-Proto": {"https"}}}
	for range 20 { // maps have no order
		if got := field.ProxySign(r.Header); got != "X-Forwarded-For" {
			t.Fatalf("%q", got)
		}
	}
	if got := field.ProxySign(http.Header{"Accept": {"*/*"}}); got != "" {
		t.Errorf("%q without a proxy", got)
	}
}
