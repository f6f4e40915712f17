package dav_test

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
)

// crossOriginRequests are requests that change something, with the status of each when it is
// allowed.
var crossOriginRequests = map[string]struct {
	status int
	body   string
	fields []string
}{
	"PUT":       {status: 204, body: "new"},
	"DELETE":    {status: 204},
	"COPY":      {status: 201, fields: []string{"Destination: /b.txt"}},
	"MOVE":      {status: 201, fields: []string{"Destination: /b.txt"}},
	"MKCOL":     {status: 405},
	"LOCK":      {status: 200, body: `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`},
	"UNLOCK":    {status: 409, fields: []string{"Lock-Token: <urn:x>"}},
	"PROPPATCH": {status: 207, body: `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><p xmlns="x:"/></D:prop></D:set></D:propertyupdate>`},
	"PATCH":     {status: 415, body: "x"},
	"POST":      {status: 405},
}

// TestCrossOrigin: a page of another site can't change anything and can't embed stored
// content. Everything else works as without a browser.
func TestCrossOrigin(t *testing.T) {
	for _, c := range []struct {
		name    string
		fields  []string
		handler *dav.Handler
		foreign bool
	}{
		{name: "no browser"},
		{name: "same origin", fields: []string{"Sec-Fetch-Site: same-origin", "Origin: {server}"}},
		{name: "typed by the user", fields: []string{"Sec-Fetch-Site: none"}},
		{name: "by Origin alone", fields: []string{"Origin: {server}"}},
		{name: "a proxy has changed Host", fields: []string{"Origin: https://public.test", "X-Forwarded-Host: public.test"}},
		{name: "a proxy has changed Host and doesn't report it", fields: []string{"Sec-Fetch-Site: same-origin", "Origin: https://public.test"}},
		{
			name: "RFC 7239: a trusted proxy", fields: []string{"Origin: https://public.test", "Forwarded: host=public.test"},
			handler: &dav.Handler{TrustedProxies: dav.TrustedProxies{netip.MustParsePrefix("127.0.0.0/8")}},
		},
		{name: "another site", fields: []string{"Sec-Fetch-Site: cross-site", "Origin: {server}"}, foreign: true},
		{name: "another site, without Origin", fields: []string{"Sec-Fetch-Site: cross-site"}, foreign: true},
		{name: "another host of the site", fields: []string{"Sec-Fetch-Site: same-site"}, foreign: true},
		{name: "an unknown value", fields: []string{"Sec-Fetch-Site: near"}, foreign: true},
		{name: "two values", fields: []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"}, foreign: true},
		{name: "another Origin", fields: []string{"Origin: http://evil.test"}, foreign: true},
		{name: "RFC 6454 §7.3: null", fields: []string{"Origin: null"}, foreign: true},
		{name: "an empty Origin", fields: []string{"Origin: "}, foreign: true},
		{name: "two Origins", fields: []string{"Origin: {server}", "Origin: http://evil.test"}, foreign: true},
		{name: "another port", fields: []string{"Origin: http://127.0.0.1:1"}, foreign: true},
		{name: "another scheme", fields: []string{"Origin: app://127.0.0.1"}, foreign: true},
		{
			name: "a stranger's word for the host", fields: []string{"Origin: http://evil.test", "X-Forwarded-Host: evil.test"}, foreign: true,
			handler: &dav.Handler{TrustedProxies: dav.TrustedProxies{netip.MustParsePrefix("192.0.2.0/24")}},
		},
		{
			name: "an origin that is allowed", fields: []string{"Sec-Fetch-Site: cross-site", "Origin: https://app.test"},
			handler: &dav.Handler{AllowOrigin: func(origin string) bool { return origin == "https://app.test" }},
		},
		{
			name: "an origin that is not allowed", fields: []string{"Sec-Fetch-Site: cross-site", "Origin: https://app.test.evil.test"}, foreign: true,
			handler: &dav.Handler{AllowOrigin: func(origin string) bool { return origin == "https://app.test" }},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, method := range slices.Sorted(maps.Keys(crossOriginRequests)) {
				h := &dav.Handler{}
				if c.handler != nil {
					h.TrustedProxies, h.AllowOrigin = c.handler.TrustedProxies, c.handler.AllowOrigin
				}
				s := serveLocal(t, h, layout{"/a.txt": "old"})
				request := crossOriginRequests[method]
				fields := slices.Concat(request.fields, c.fields)
				if !c.foreign {
					s.sends(request.status, method, "/a.txt", request.body, fields...)
					continue
				}
				if a := s.sends(403, method, "/a.txt", request.body, fields...); !strings.Contains(a.body, "by a page of another site") {
					t.Errorf("%s: the reason is %s", method, a.body)
				}
				s.holds(layout{"/a.txt": "old"})
				s.wants(200, "GET", "/a.txt", c.fields...)
				s.wants(200, "HEAD", "/a.txt", c.fields...)
				s.wants(200, "OPTIONS", "/a.txt", c.fields...)
				s.wants(207, "PROPFIND", "/a.txt", append(c.fields, "Depth: 0")...)
			}
		})
	}
}

// TestResourcePolicy: pages of other sites can't embed resources of this server.
func TestResourcePolicy(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{"/a.txt": "old", "/a.png": "x", "/a.pdf": "%PDF-1.7", "/d/a": ""})
	for _, target := range []string{"/a.txt", "/a.png", "/a.pdf", "/d/"} {
		for _, method := range []string{"GET", "HEAD"} {
			if got := s.wants(200, method, target).header.Get("Cross-Origin-Resource-Policy"); got != "same-origin" {
				t.Errorf("%s %s: the policy is %q", method, target, got)
			}
		}
	}
}
