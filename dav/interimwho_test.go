package dav_test

import (
	"slices"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
)

// Clients that are known to survive an interim response, that are known not to, and
// that are unknown.
const (
	safe     = "User-Agent: gvfs/1.50.3"
	unsafe   = "User-Agent: python-requests/2.28.1"
	stranger = "User-Agent: Microsoft-WebDAV-MiniRedir/10.0.26100"
	asks     = "Prefer: processing"
	toDst    = "Destination: /dst"
)

// atOnce is a Policy that sends one interim response immediately, or none.
func atOnce(mode interim.Mode) interim.Policy {
	return interim.Policy{Mode: mode, After: -1, Every: time.Hour}
}

// whoCase is a COPY that gets an interim response immediately, or none because of a
// rule.
type whoCase struct {
	name     string
	interim  interim.Policy
	protocol string // "": HTTP/1.1
	fields   []string
	rule     int // 0: it gets one
}

func (c whoCase) run(t *testing.T) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		if c.protocol == "" {
			c.protocol = "HTTP/1.1"
		}
		c.interim.After, c.interim.Every = -1, time.Hour
		h := &dav.Handler{FileSystem: plant(t), Interim: c.interim}
		got := over(t, c.protocol, h, wireRequest{method: "COPY", target: "/src", fields: append([]string{toDst}, c.fields...)})
		checkWho(t, got, c.rule)
		if got.status != 201 {
			t.Errorf("the final response is %d", got.status)
		}
	})
}

// checkWho checks that there was one interim response if rule is 0, and otherwise that
// there was none, for the right reason.
func checkWho(t *testing.T, got outcome, rule int) {
	t.Helper()
	switch {
	case rule == 0 && (len(got.interims) != 1 || len(got.withheld) != 0):
		t.Errorf("%d interim responses, want 1; withheld: %+v", len(got.interims), got.withheld)
	case rule != 0 && len(got.interims) != 0:
		t.Errorf("%d interim responses, want none", len(got.interims))
	case rule != 0 && (len(got.withheld) != 1 || got.withheld[0].Rule != rule || got.withheld[0].Reason == "" || got.withheld[0].Sent != 0):
		t.Errorf("withheld: %+v, want rule %d", got.withheld, rule)
	}
}

// TestInterimRule1: a request gets some while the server works on it, after its body. In
// this test, the work on a body never takes long enough (rule 4).
func TestInterimRule1(t *testing.T) {
	for _, c := range []struct {
		name    string
		request wireRequest
		rule    int
	}{
		{"COPY", wireRequest{method: "COPY", target: "/src", fields: []string{toDst}}, 0},
		{"MOVE", wireRequest{method: "MOVE", target: "/src", fields: []string{toDst}}, 0},
		{"DELETE", wireRequest{method: "DELETE", target: "/src"}, 0},
		{"PROPFIND", wireRequest{method: "PROPFIND", target: "/src", fields: []string{"Depth: 1"}}, 0},
		{"GET", wireRequest{method: "GET", target: "/src/a.txt"}, 1},
		{"GET of a collection", wireRequest{method: "GET", target: "/src/"}, 1},
		{"HEAD", wireRequest{method: "HEAD", target: "/src/a.txt"}, 1},
		{"OPTIONS", wireRequest{method: "OPTIONS", target: "/src"}, 1},
		{"POST", wireRequest{method: "POST", target: "/src", body: "x"}, 1},
		{"PUT", wireRequest{method: "PUT", target: "/new", body: "x"}, 4},
		{"PATCH", wireRequest{method: "PATCH", target: "/src/a.txt", body: "x"}, 4},
		{"MKCOL", wireRequest{method: "MKCOL", target: "/new"}, 0},
		{"LOCK", wireRequest{method: "LOCK", target: "/src", body: lockBody}, 4},
		{"UNLOCK", wireRequest{method: "UNLOCK", target: "/src"}, 0},
		{"PROPPATCH", wireRequest{method: "PROPPATCH", target: "/src", body: "<x/>"}, 4},
		{"an unknown method", wireRequest{method: "MAKE", target: "/src"}, 1},
	} {
		c.request.fields = append(c.request.fields, asks)
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
			t.Run(c.name+" "+protocol, func(t *testing.T) {
				h := &dav.Handler{FileSystem: plant(t), Interim: atOnce(interim.Always)}
				checkWho(t, over(t, protocol, h, c.request), c.rule)
			})
		}
	}
	// A request that is refused never was under way.
	for name, request := range map[string]wireRequest{
		"RFC 4918 §9.8.5 into itself":      {method: "COPY", target: "/src", fields: []string{"Destination: /src/c/d", asks}},
		"RFC 4918 §9.8.5 no such source":   {method: "MOVE", target: "/none", fields: []string{toDst, asks}},
		"RFC 4918 §9.6 no such resource":   {method: "DELETE", target: "/none", fields: []string{asks}},
		"RFC 4918 §9.1 no such collection": {method: "PROPFIND", target: "/none", fields: []string{"Depth: 0", asks}},
	} {
		t.Run(name, func(t *testing.T) {
			h := &dav.Handler{FileSystem: plant(t), Interim: atOnce(interim.Always)}
			got := over(t, "HTTP/1.1", h, request)
			if len(got.interims) != 0 || got.status < 400 {
				t.Errorf("%d interim responses and %d", len(got.interims), got.status)
			}
		})
	}
}

// TestInterimRule2: none are sent to HTTP/1.0, or if Via says 1.0 (RFC 9110 §15.2), in
// every mode and even if the client asks.
func TestInterimRule2(t *testing.T) {
	for _, mode := range []interim.Mode{interim.Auto, interim.Always} {
		for _, c := range []whoCase{
			{name: "HTTP/1.0", protocol: "HTTP/1.0", rule: 2},
			{name: "HTTP/1.1"},
			{name: "HTTP/2", protocol: "HTTP/2"},
			{name: "h2c", protocol: "h2c"},
			{name: "Via 1.0", fields: []string{"Via: 1.0 fred"}, rule: 2},
			{name: "Via HTTP/1.0", fields: []string{"Via: HTTP/1.0 fred"}, rule: 2},
			{name: "Via 0.9", fields: []string{"Via: 0.9 fred"}, rule: 2},
			{name: "Via 1.1", interim: interim.Policy{Proxy: interim.ProxyPass}, fields: []string{"Via: 1.1 vegur"}},
			{name: "Via 1.0 among others", fields: []string{"Via: 1.0 fred, 1.1 p.example.net"}, rule: 2},
			{name: "Via 1.0 last", fields: []string{"Via: 2 a, 1.0 b"}, rule: 2},
			{name: "Via 1.0 in the second header", fields: []string{"Via: 1.1 a", "Via: 1.0 b"}, rule: 2},
			{name: "HTTP/2 with Via 1.0", protocol: "HTTP/2", fields: []string{"Via: 1.0 fred"}, rule: 2},
			{name: "h2c with Via 1.0", protocol: "h2c", fields: []string{"Via: 1.0 fred"}, rule: 2},
			{name: "a proxy that passes them on, to HTTP/1.0", interim: interim.Policy{Proxy: interim.ProxyPass}, fields: []string{"Via: 1.0 Caddy"}, rule: 2},
			{name: "a known client at HTTP/1.0", protocol: "HTTP/1.0", fields: []string{safe}, rule: 2},
		} {
			c.name, c.interim.Mode = mode.String()+" "+c.name, mode
			c.fields = append(c.fields, asks)
			c.run(t)
		}
	}
}

// TestInterimRule3: in the mode auto, a client gets some if it asks or is known to be
// safe, unless the request shows a proxy that is not declared to pass them on. In the
// mode always, all clients get some; in the mode never, none do.
func TestInterimRule3(t *testing.T) {
	always, never := interim.Policy{Mode: interim.Always}, interim.Policy{Mode: interim.Never}
	operators := interim.Policy{Clients: []interim.KnownClient{{Product: "myapp", Cap: 5}}}
	proxy := "X-Forwarded-For: 192.0.2.1"
	for _, c := range []whoCase{
		{name: "auto, safe", fields: []string{safe}},
		{name: "auto, safe, HTTP/2", protocol: "HTTP/2", fields: []string{safe}},
		{name: "auto, unknown client", fields: []string{stranger}, rule: 3},
		{name: "auto, unknown client, HTTP/2", protocol: "HTTP/2", fields: []string{stranger}, rule: 3},
		{name: "auto, no User-Agent", rule: 3},
		{name: "auto, unknown client asks", fields: []string{stranger, asks}},
		{name: "auto, client without User-Agent asks", fields: []string{asks}},
		{name: "auto, unknown client with another preference", fields: []string{stranger, "Prefer: respond-async"}, rule: 3},
		{name: "auto, the operator's client", interim: operators, fields: []string{"User-Agent: myapp/1.0"}},
		{name: "auto, not the operator's client", interim: operators, fields: []string{"User-Agent: myapps/1.0"}, rule: 3},
		{name: "always, unknown client", interim: always, fields: []string{stranger}},
		{name: "always, no User-Agent", interim: always},
		{name: "always, asks", interim: always, fields: []string{asks}},
		{name: "always, behind a proxy", interim: always, fields: []string{stranger, proxy}},
		{name: "never, safe", interim: never, fields: []string{safe}, rule: 3},
		{name: "never, asks", interim: never, fields: []string{asks}, rule: 3},
		{name: "pass, unknown client", interim: interim.Policy{Proxy: interim.ProxyPass}, fields: []string{stranger, proxy}, rule: 3},
		{name: "pass, never", interim: interim.Policy{Mode: interim.Never, Proxy: interim.ProxyPass}, fields: []string{safe, proxy}, rule: 3},
		{name: "auto, X-Forward is no sign", fields: []string{safe, "X-Forward: x"}},
	} {
		c.run(t)
	}
	for _, sign := range []string{
		"Via: 1.1 proxy",
		"Forwarded: for=192.0.2.1",
		"X-Forwarded-For: 192.0.2.1",
		"X-Forwarded-Proto: https",
		"X-Forwarded-Host: public.test",
		"X-Forwarded-Port: 443",
		"x-forwarded-server: proxy",
		"X-Real-IP: 192.0.2.1",
		"X-Varnish: 32770",
		"X-Forwarded-For: ",
	} {
		whoCase{name: "none, safe, " + sign, fields: []string{safe, sign}, rule: 3}.run(t)
		whoCase{name: "none, asks, " + sign, fields: []string{safe, sign, asks}, rule: 3}.run(t)
		whoCase{name: "pass, asks, " + sign, interim: interim.Policy{Proxy: interim.ProxyPass}, fields: []string{stranger, sign, asks}}.run(t)
		whoCase{name: "pass, safe, " + sign, interim: interim.Policy{Proxy: interim.ProxyPass}, fields: []string{safe, sign}}.run(t)
		whoCase{name: "apache, safe, " + sign, interim: interim.Policy{Proxy: interim.ProxyApache}, fields: []string{safe, sign}}.run(t)
	}
}

// TestTrustedProxiesDoNotHideProxies: a sign of a proxy counts for rule 3 even if a
// trusted proxy has set it.
func TestTrustedProxiesDoNotHideProxies(t *testing.T) {
	h := &dav.Handler{FileSystem: plant(t), Interim: atOnce(interim.Auto), TrustedProxies: prefixes("192.0.2.0/24")}
	got := over(t, "HTTP/1.1", h, wireRequest{method: "COPY", target: "/src", fields: []string{toDst, safe, "X-Forwarded-For: 192.0.2.1"}})
	checkWho(t, got, 3)
}

// TestWithheldOnce: an operation gets one note, and a request that didn't ask gets
// none.
func TestWithheldOnce(t *testing.T) {
	h := &dav.Handler{FileSystem: plant(t), Interim: interim.Policy{After: -1, Every: time.Millisecond}}
	got := over(t, "HTTP/1.1", h, wireRequest{method: "COPY", target: "/src", fields: []string{toDst, stranger}})
	checkWho(t, got, 3)
	got = over(t, "HTTP/1.1", h, wireRequest{method: "GET", target: "/src/a.txt", fields: []string{stranger}})
	if !slices.Equal(got.withheld, nil) {
		t.Errorf("withheld from a GET: %+v", got.withheld)
	}
}
