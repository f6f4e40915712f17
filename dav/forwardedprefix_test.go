package dav_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/aferofs"
)

// TestForwardedPrefix checks that a proxy can serve davd below a path that it strips: the client's
// paths in Destination and If have it, and so have those in answers. Only a trusted proxy may say so.
func TestForwardedPrefix(t *testing.T) {
	fsys := aferofs.New(afero.NewMemMapFs())
	h := &dav.Handler{FileSystem: fsys, Prefix: "/dav", TrustedProxies: dav.TrustedProxies{netip.MustParsePrefix("192.0.2.1/32")}}
	send := func(remote, method, target, prefix string, fields ...string) *http.Response {
		r := httptest.NewRequest(method, "http://files.test"+target, nil)
		r.RemoteAddr = remote + ":1"
		if prefix != "" {
			r.Header.Set("X-Forwarded-Prefix", prefix)
		}
		for _, field := range fields {
			name, value, _ := strings.Cut(field, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	const proxy, stranger = "192.0.2.1", "192.0.2.2"
	for _, c := range []struct {
		remote, method, target, prefix string
		fields                         []string
		status                         int
		contains                       string // in the body, or in Content-Location
	}{
		{proxy, "MKCOL", "/dav/a", "/files/", nil, 201, ""},
		{proxy, "COPY", "/dav/a", "/files", []string{"Destination: http://files.test/files/dav/b"}, 201, ""},
		{proxy, "COPY", "/dav/a", "/files", []string{"Destination: /dav/c"}, 502, ""},
		{proxy, "PROPFIND", "/dav/b", "/files", []string{"Depth: 0"}, 207, "<href>/files/dav/b/</href>"},
		{proxy, "PROPFIND", "/dav/", "/files/x", []string{"Depth: 1"}, 207, "<href>/files/x/dav/b/</href>"},
		{proxy, "COPY", "/dav/a", "/files", []string{"Destination: /files/dav/d", "Prefer: respond-async"}, 0, ""},
		{proxy, "DELETE", "/dav/b", "/files", []string{"If: </files/dav/b> (Not <DAV:no-lock>)"}, 204, ""},
		{proxy, "PROPFIND", "/dav/a", "", []string{"Depth: 0"}, 207, "<href>/dav/a/</href>"},
		{proxy, "PROPFIND", "/dav/a", "//evil.test", []string{"Depth: 0"}, 207, "<href>/dav/a/</href>"},
		{proxy, "PROPFIND", "/dav/a", "/x/../y", []string{"Depth: 0"}, 207, "<href>/dav/a/</href>"},
		{proxy, "PROPFIND", "/dav/a", "/x, /y", []string{"Depth: 0"}, 207, "<href>/dav/a/</href>"},
		{stranger, "PROPFIND", "/dav/a", "/files", []string{"Depth: 0"}, 207, "<href>/dav/a/</href>"},
		{stranger, "COPY", "/dav/a", "/files", []string{"Destination: /files/dav/e"}, 502, ""},
	} {
		answer := send(c.remote, c.method, c.target, c.prefix, c.fields...)
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if c.status != 0 && answer.StatusCode != c.status || !strings.Contains(strings.ReplaceAll(string(body), "D:", ""), c.contains) {
			t.Errorf("%s %s %q %q from %s: %d, want %d with %q\n%s", c.method, c.target, c.prefix, c.fields, c.remote, answer.StatusCode, c.status, c.contains, body)
		}
		if location := answer.Header.Get("Location"); c.status == 0 && answer.StatusCode == http.StatusAccepted && !strings.HasPrefix(location, "/files/dav/.davd-operations/") {
			t.Errorf("Location %q", location)
		}
	}
}
