package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/proxy"
)

// xnet returns x/net's handler with its files below /up.
func xnet() http.Handler {
	return &webdav.Handler{Prefix: "/up", FileSystem: webdav.NewMemFS(), LockSystem: webdav.NewMemLS()}
}

// TestXNet: a session of a client with x/net's handler behind the proxy.
func TestXNet(t *testing.T) {
	f := serve(t, xnet(), nil)
	f.wants(201, "MKCOL", "/dav/a%20b/", "")
	f.wants(201, "PUT", "/dav/a%20b/c%26d.txt", "content")
	if got := f.wants(200, "GET", "/dav/a%20b/c%26d.txt", ""); got.body != "content" || got.Header.Get("Via") != "1.1 davd" {
		t.Errorf("%q, %v", got.body, got.Header)
	}
	listing := f.wants(207, "PROPFIND", "/dav/a%20b/", "", "Depth: 1")
	for _, href := range []string{"<D:href>/dav/a%20b/</D:href>", "<D:href>/dav/a%20b/c&amp;d.txt</D:href>"} {
		if !strings.Contains(listing.body, href) {
			t.Errorf("%s is missing in %s", href, listing.body)
		}
	}
	f.wants(201, "COPY", "/dav/a%20b/", "", "Destination: {front}/dav/copy/")
	f.wants(201, "MOVE", "/dav/copy/", "", "Destination: /dav/moved/")
	f.wants(404, "GET", "/dav/copy/c&d.txt", "")
	lock := f.wants(200, "LOCK", "/dav/moved/c&d.txt", `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`)
	token := lock.Header.Get("Lock-Token")
	f.wants(423, "DELETE", "/dav/moved/c&d.txt", "")
	f.wants(423, "PUT", "/dav/moved/c&d.txt", "new")
	f.wants(201, "PUT", "/dav/moved/c&d.txt", "new", "If: <{front}/dav/moved/c&d.txt> ("+token+")")
	f.wants(204, "DELETE", "/dav/moved/c&d.txt", "", "If: ("+token+")")
	f.wants(204, "DELETE", "/dav/moved/", "")
	f.wants(404, "PROPFIND", "/dav/moved/", "", "Depth: 0")
	f.wants(404, "GET", "/elsewhere", "")
}

// upstreamHeaders are those that the echo shows.
var upstreamHeaders = []string{"Host", "Destination", "If", "Authorization", "Prefer", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via", "Upgrade", "Origin", "Referer", "Forwarded", "Accept-Encoding"}

// echo answers with what it got. {up} stands for its own URL.
func echo() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s\n", r.Method, r.RequestURI)
		r.Header.Set("Host", r.Host)
		for _, name := range upstreamHeaders {
			for _, value := range r.Header[name] {
				fmt.Fprintf(w, "%s: %s\n", name, strings.ReplaceAll(value, "http://"+r.Host, "{up}"))
			}
		}
	})
}

// TestRequest: how a request reaches the upstream.
func TestRequest(t *testing.T) {
	f := serve(t, echo(), nil)
	for _, c := range []struct {
		name, method, path string
		fields             []string
		status             int
		want               []string // lines of the echo
		not                string
	}{
		{name: "path and query", method: "GET", path: "/dav/a%2Fb%20c?x=%zz&y", status: 200, want: []string{"GET /up/a%2Fb%20c?x=%zz&y"}},
		{name: "the collection itself", method: "GET", path: "/dav", status: 200, want: []string{"GET /up"}},
		{name: "RFC 3986 §6.2.2: another spelling of the prefix", method: "DELETE", path: "/d%61v/foo", status: 200, want: []string{"DELETE /up/foo"}},
		{name: "an escaped slash is none", method: "DELETE", path: "/dav%2Ffoo", status: 404},
		{name: "above with parameters", method: "GET", path: "/dav/a/..;x/..;/b", status: 403},
		{name: "RFC 4918 §10.3: another spelling of the prefix", method: "COPY", path: "/dav/a", fields: []string{"Destination: {front}/%64av/b"}, status: 200, want: []string{"Destination: {up}/up/b"}},
		{name: "Connection names If", method: "PUT", path: "/dav/a", fields: []string{"Connection: If", "If: (<urn:a>)"}, status: 200, not: "If:"},
		{name: "RFC 9110 §7.8: no upgrade", method: "GET", path: "/dav/a", fields: []string{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"}, status: 200, not: "Upgrade"},
		{name: "respond-async with a parameter", method: "PUT", path: "/dav/a", fields: []string{"Prefer: respond-async; x=1"}, status: 200, not: "Prefer"},
		{name: "NTLM with a tab", method: "GET", path: "/dav/a", fields: []string{"Authorization: NTLM\tabc"}, status: 403},
		{name: "outside", method: "GET", path: "/davx/a", status: 404},
		{name: "above", method: "GET", path: "/dav/a/%2e%2e/%2e%2e/secret", status: 403},
		{name: "above with an escaped slash", method: "GET", path: "/dav/a/..%2f..%2fsecret", status: 403},
		{name: "above with a backslash", method: "GET", path: "/dav/..%5csecret", status: 403},
		{name: "RFC 4918 §10.3: a URL", method: "COPY", path: "/dav/a", fields: []string{"Destination: {front}/dav/b%20c"}, status: 200, want: []string{"Destination: {up}/up/b%20c"}},
		{name: "RFC 4918 §10.3: a path", method: "MOVE", path: "/dav/a", fields: []string{"Destination: /dav/%C3%A4/"}, status: 200, want: []string{"Destination: {up}/up/%C3%A4/"}},
		{name: "RFC 4918 §9.8.5: another server", method: "COPY", path: "/dav/a", fields: []string{"Destination: http://other.test/dav/b"}, status: 502},
		{name: "RFC 4918 §9.8.5: outside", method: "COPY", path: "/dav/a", fields: []string{"Destination: /b"}, status: 502},
		{name: "Destination leads above", method: "COPY", path: "/dav/a", fields: []string{"Destination: /dav/../b"}, status: 403},
		{name: "Destination is missing", method: "COPY", path: "/dav/a", status: 400},
		{name: "Destination with another scheme, behind TLS", method: "COPY", path: "/dav/a", fields: []string{"Host: dav.test", "Destination: https://dav.test/dav/b"}, status: 200, want: []string{"Destination: {up}/up/b"}},
		{
			name: "RFC 4918 §10.4: tagged lists", method: "PUT", path: "/dav/a", status: 200,
			fields: []string{`If: <{front}/dav/x> (<urn:a> ["<\)"]) (Not <DAV:no-lock>) </dav/y> ([W/"b"]) <http://other.test/dav/z> (<urn:c>)`},
			want:   []string{`If: <{up}/up/x> (<urn:a> ["<\)"]) (Not <DAV:no-lock>) <{up}/up/y> ([W/"b"]) <http://other.test/dav/z> (<urn:c>)`},
		},
		{name: "malformed If", method: "PUT", path: "/dav/a", fields: []string{"If: </dav/x> (<urn:a"}, status: 200, want: []string{"If: <{up}/up/x> (<urn:a"}},
		{name: "forwarded", method: "GET", path: "/dav/a", fields: []string{"Host: dav.test", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: evil.test", "Forwarded: for=192.0.2.1", "Via: 1.1 x"}, status: 200, want: []string{"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: dav.test", "X-Forwarded-Proto: http", "Via: 1.1 x, 1.1 davd"}, not: "Forwarded: for"},
		{name: "own pages", method: "PUT", path: "/dav/a", fields: []string{"Origin: {front}", "Referer: {front}/dav/x?y"}, status: 200, want: []string{"Origin: {up}"}},
		{name: "foreign pages", method: "PUT", path: "/dav/a", fields: []string{"Origin: http://evil.test"}, status: 200, want: []string{"Origin: http://evil.test"}},
		{name: "preferences of its own", method: "PUT", path: "/dav/a", fields: []string{"Prefer: respond-async, return=minimal, wait=5"}, status: 200, want: []string{"Prefer: return=minimal"}},
		{name: "credentials", method: "PUT", path: "/dav/a", fields: []string{"Authorization: Basic YTpi"}, status: 200, want: []string{"Authorization: Basic YTpi"}},
		{name: "NTLM", method: "PUT", path: "/dav/a", fields: []string{"Authorization: NTLM abc"}, status: 403},
		{name: "Negotiate", method: "GET", path: "/dav/a", fields: []string{"Authorization: negotiate abc"}, status: 403},
		{name: "compression of content", method: "GET", path: "/dav/a", fields: []string{"Accept-Encoding: br"}, status: 200, want: []string{"Accept-Encoding: br"}},
		{name: "no compression of XML", method: "PROPFIND", path: "/dav/a", fields: []string{"Accept-Encoding: br"}, status: 200, not: "Accept-Encoding"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &front{TB: t, Handler: f.Handler, server: f.server, upstream: f.upstream}
			got := f.wants(c.status, c.method, c.path, "", c.fields...)
			lines := strings.Split(got.body, "\n")
			for _, want := range c.want {
				if !slices.Contains(lines, want) {
					t.Errorf("%q is missing in\n%s", want, got.body)
				}
			}
			if c.not != "" && strings.Contains(got.body, c.not) {
				t.Errorf("%q is in\n%s", c.not, got.body)
			}
		})
	}
}

// TestAuthenticated: credentials that the proxy has checked are not passed on; those in the
// upstream's URL are.
func TestAuthenticated(t *testing.T) {
	f := serve(t, echo(), func(h *proxy.Handler) {
		h.Authenticated = true
		h.Principal = func(*http.Request) string { return "ann" }
		u := *h.Upstream
		u.User = nil
		h.Upstream = &u
	})
	if got := f.wants(200, "GET", "/dav/a", "", "Authorization: Basic YTpi"); strings.Contains(got.body, "Authorization") {
		t.Error(got.body)
	}
}

// TestAnswer: how an answer reaches the client.
func TestAnswer(t *testing.T) {
	for _, c := range []struct {
		name     string
		header   http.Header
		status   int
		field    string
		want     string
		wantCode int
	}{
		{name: "Location, a URL", status: 301, header: http.Header{"Location": {"{up}/up/a/?x#y"}}, field: "Location", want: "{front}/dav/a/?x#y"},
		{name: "Location, a path", status: 301, header: http.Header{"Location": {"/up/a/"}}, field: "Location", want: "/dav/a/"},
		{name: "Location elsewhere", status: 302, header: http.Header{"Location": {"https://login.test/up/"}}, field: "Location", want: "https://login.test/up/"},
		{name: "Location outside", status: 302, header: http.Header{"Location": {"/login"}}, field: "Location", want: "/login"},
		{name: "Content-Location", status: 200, header: http.Header{"Content-Location": {"/up/a"}}, field: "Content-Location", want: "/dav/a"},
		{name: "cookie", status: 200, header: http.Header{"Set-Cookie": {"s=1; Path=/up; Domain=nas.test; HttpOnly"}}, field: "Set-Cookie", want: "s=1; Path=/dav; HttpOnly"},
		{name: "cookie of a collection above", status: 200, header: http.Header{"Set-Cookie": {"s=1; path=/"}}, field: "Set-Cookie", want: "s=1; Path=/dav/"},
		{name: "one of two challenges", status: 401, header: http.Header{"Www-Authenticate": {"NTLM", `Basic realm="x"`}}, field: "Www-Authenticate", want: `Basic realm="x"`},
		{name: "challenges in one header", status: 401, header: http.Header{"Www-Authenticate": {`NTLM, Negotiate, Digest realm="x", nonce="y"`}}, field: "Www-Authenticate", want: `Digest realm="x", nonce="y"`},
		{name: "no challenge is left in one header", status: 401, header: http.Header{"Www-Authenticate": {"NTLM, Negotiate"}}, wantCode: 502},
		{name: "RFC 6265bis §4.1.3.2: __Host-", status: 200, header: http.Header{"Set-Cookie": {"__Host-s=1; Path=/; Secure"}}, field: "Set-Cookie", want: "__Host-s=1; Path=/; Secure"},
		{name: "no challenge is left", status: 401, header: http.Header{"Www-Authenticate": {"Negotiate", "NTLM"}}, wantCode: 502},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for name, values := range c.header {
					for _, value := range values {
						w.Header().Add(name, strings.ReplaceAll(value, "{up}", "http://"+r.Host))
					}
				}
				w.WriteHeader(c.status)
			}), nil)
			if c.wantCode == 0 {
				c.wantCode = c.status
			}
			got := f.wants(c.wantCode, "GET", "/dav/a", "")
			if value := strings.ReplaceAll(got.Header.Get(c.field), f.server.URL, "{front}"); c.field != "" && value != c.want {
				t.Errorf("%s: %q, want %q", c.field, value, c.want)
			}
		})
	}
}

// TestTarget: a request target without a path is refused, and so is an asterisk for other
// methods than OPTIONS (RFC 9112 §3.2).
func TestTarget(t *testing.T) {
	f := serve(t, echo(), func(h *proxy.Handler) { h.Prefix = "" })
	for target, want := range map[string]string{
		"DELETE x:http://other.test/secret": "400", "PUT x:y": "400", "DELETE *": "400", "OPTIONS *": "200", "GET http://davd.test/a": "200",
	} {
		conn, err := net.Dial("tcp", f.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, target+" HTTP/1.1\r\nHost: davd.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err := errors.Join(err, conn.Close()); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 "+want) {
			t.Errorf("%s: %q, %v", target, answer, err)
		}
	}
}

// TestEarlyHints: interim responses of the upstream to a GET don't reach clients, which may
// not survive them.
func TestEarlyHints(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusEarlyHints) }), nil)
	if got := f.wants(200, "GET", "/dav/a", ""); len(got.interims) != 0 {
		t.Errorf("%v", got.interims)
	}
}

// TestAbsoluteHrefs: with the same path on both sides, hrefs that are URLs of the upstream
// are translated, and an answer is not held back for that.
func TestAbsoluteHrefs(t *testing.T) {
	second := make(chan struct{})
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		href := "/dav/a"
		if r.URL.Path == "/dav/absolute" {
			href = "http://" + r.Host + href
		}
		fmt.Fprintf(w, "<a xmlns='DAV:'><href>%s</href>", href)
		_ = http.NewResponseController(w).Flush()
		<-second
		fmt.Fprint(w, "</a>")
	}), func(h *proxy.Handler) {
		u := *h.Upstream
		u.Path = "/dav/"
		h.Upstream = &u
	})
	for path, want := range map[string]string{"/dav/relative": "<href>/dav/a</href>", "/dav/absolute": "<href>" + f.server.URL + "/dav/a</href>"} {
		r, err := http.NewRequestWithContext(t.Context(), "PROPFIND", f.server.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r) // returns when the header has come
		if err != nil {
			t.Fatal(err)
		}
		second <- struct{}{}
		body, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %v", path, body, err)
		}
	}
}
