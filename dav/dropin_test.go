package dav_test

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

// The fields of a webdav.Handler can be assigned to a dav.Handler unchanged.
func fromXNet(x *webdav.Handler) *dav.Handler {
	return &dav.Handler{Prefix: x.Prefix, FileSystem: x.FileSystem, LockSystem: x.LockSystem, Logger: x.Logger}
}

// The fields have the same types. So they can be assigned back, and an implementation
// for one handler works with the other.
func toXNet(h *dav.Handler) *webdav.Handler {
	return &webdav.Handler{Prefix: h.Prefix, FileSystem: h.FileSystem, LockSystem: h.LockSystem, Logger: h.Logger}
}

var (
	_ http.Handler      = (*dav.Handler)(nil)
	_ webdav.FileSystem = storage.FS(nil)
	_ storage.FS        = webdav.FileSystem(nil)
	_ webdav.File       = storage.File(nil)
)

// exchanges get the same answers from both handlers, one after the other.
var exchanges = []struct {
	method, target, body string
	fields               []string
}{
	{method: "OPTIONS", target: "/dav/"},
	{method: "MKCOL", target: "/dav/new/"},
	{method: "MKCOL", target: "/dav/new/"},
	{method: "MKCOL", target: "/dav/missing/new/"},
	{method: "PUT", target: "/dav/new/a%20b.txt", body: "content"},
	{method: "PUT", target: "/dav/missing/a", body: "content"},
	{method: "GET", target: "/dav/new/a%20b.txt"},
	{method: "GET", target: "/dav/missing"},
	{method: "HEAD", target: "/dav/new/a%20b.txt"},
	{method: "GET", target: "/outside"},
	{method: "PROPFIND", target: "/dav/new/", fields: []string{"Depth: 1"}, body: askTwo},
	{method: "PROPFIND", target: "/dav/", fields: []string{"Depth: infinity"}, body: askTwo},
	{method: "PROPFIND", target: "/dav/new/a%20b.txt", fields: []string{"Depth: 0"}, body: `<propfind xmlns="DAV:"><prop><displayname/><getcontenttype/><supportedlock/><x xmlns="urn:x"/></prop></propfind>`},
	{method: "PROPFIND", target: "/dav/new/", fields: []string{"Depth: 0"}, body: askNames},
	{method: "PROPFIND", target: "/dav/missing"},
	{method: "PROPFIND", target: "/dav/", fields: []string{"Depth: 5"}},
	{method: "PROPFIND", target: "/dav/", body: "no XML"},
	{method: "PROPPATCH", target: "/dav/new/a%20b.txt", body: setProp},
	{method: "PROPFIND", target: "/dav/new/a%20b.txt", fields: []string{"Depth: 0"}, body: `<propfind xmlns="DAV:"><prop><colour xmlns="urn:x"/><own/></prop></propfind>`},
	{method: "COPY", target: "/dav/new/", fields: []string{"Destination: {server}/dav/copy/"}},
	{method: "COPY", target: "/dav/new/", fields: []string{"Destination: {server}/dav/copy/"}},
	{method: "COPY", target: "/dav/new/", fields: []string{"Destination: /dav/copy/", "Overwrite: F"}},
	{method: "COPY", target: "/dav/new/", fields: []string{"Destination: /dav/new/"}},
	{method: "COPY", target: "/dav/missing", fields: []string{"Destination: /dav/x"}},
	{method: "COPY", target: "/dav/new/"},
	{method: "COPY", target: "/dav/new/", fields: []string{"Destination: http://other.test/dav/x"}},
	{method: "COPY", target: "/dav/new/", fields: []string{"Destination: /dav/x", "Depth: 1"}},
	{method: "COPY", target: "/dav/new/", fields: []string{"Destination: /dav/shallow/", "Depth: 0"}},
	{method: "PROPFIND", target: "/dav/copy/", fields: []string{"Depth: infinity"}, body: askTwo},
	{method: "PROPFIND", target: "/dav/shallow/", fields: []string{"Depth: infinity"}, body: askTwo},
	{method: "MOVE", target: "/dav/copy/", fields: []string{"Destination: /dav/moved/"}},
	{method: "MOVE", target: "/dav/moved/", fields: []string{"Destination: /dav/new/", "Overwrite: F"}},
	{method: "MOVE", target: "/dav/moved/", fields: []string{"Destination: /dav/shallow/", "Overwrite: T"}},
	{method: "GET", target: "/dav/shallow/a%20b.txt"},
	{method: "GET", target: "/dav/moved/a%20b.txt"},
	{method: "DELETE", target: "/dav/shallow/"},
	{method: "DELETE", target: "/dav/shallow/"},
	{method: "UNLOCK", target: "/dav/new/", fields: []string{"Lock-Token: <none>"}},
	{method: "LOCK", target: "/dav/new/a%20b.txt", body: lockBody},
	{method: "LOCK", target: "/dav/new/a%20b.txt", body: lockBody},
	{method: "DELETE", target: "/dav/new/a%20b.txt"},
	{method: "PUT", target: "/dav/new/a%20b.txt", body: "stolen"},
	{method: "COPY", target: "/dav/new/a%20b.txt", fields: []string{"Destination: /dav/free"}},
	{method: "MOVE", target: "/dav/new/a%20b.txt", fields: []string{"Destination: /dav/free", "Overwrite: T"}},
	{method: "MOVE", target: "/dav/free", fields: []string{"Destination: /dav/new/a%20b.txt", "Overwrite: T"}},
	{method: "DELETE", target: "/dav/free", fields: []string{"If: (<none>)"}},
	{method: "DELETE", target: "/dav/free", fields: []string{"If: malformed"}},
	{method: "DELETE", target: "/dav/free"},
}

// TestDropIn: x/net's Handler and dav's Handler give the same answers to simple
// requests.
func TestDropIn(t *testing.T) {
	x := &webdav.Handler{Prefix: "/dav", FileSystem: webdav.NewMemFS(), LockSystem: webdav.NewMemLS()}
	theirs := httptest.NewServer(x)
	defer theirs.Close()
	h := fromXNet(x)
	h.FileSystem, h.LockSystem = webdav.NewMemFS(), webdav.NewMemLS()
	ours := httptest.NewServer(h)
	defer ours.Close()
	for _, e := range exchanges {
		name := e.method + " " + e.target
		want, err := send(t, theirs, e.method, e.target, e.body, e.fields...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := send(t, ours, e.method, e.target, e.body, e.fields...)
		if err != nil {
			t.Fatal(err)
		}
		if got.status != want.status {
			t.Errorf("%s %q is %d, x/net says %d", name, e.fields, got.status, want.status)
			continue
		}
		// dav's Handler supports class 3 too.
		for _, field := range []string{"DAV", "MS-Author-Via"} {
			if !strings.HasPrefix(got.header.Get(field), want.header.Get(field)) {
				t.Errorf("%s: %s %q, x/net says %q", name, field, got.header.Get(field), want.header.Get(field))
			}
		}
		// dav's Handler sends an entity tag and a date with more responses.
		for _, field := range []string{"ETag", "Lock-Token", "Last-Modified"} {
			if want.header.Get(field) != "" && got.header.Get(field) == "" {
				t.Errorf("%s: %s %q, x/net says %q", name, field, got.header.Get(field), want.header.Get(field))
			}
		}
		switch {
		case e.method == "GET" && got.status == 200 && got.body != want.body:
			t.Errorf("%s: %q, x/net says %q", name, got.body, want.body)
		case got.status == http.StatusMultiStatus:
			sameMultistatus(t, name, got, want)
		}
	}
	if back := toXNet(h); back.Prefix != x.Prefix || back.FileSystem != h.FileSystem {
		t.Error("the fields are not the same")
	}
}

// sameMultistatus compares two multi-statuses.
func sameMultistatus(t *testing.T, name string, got, want answer) {
	t.Helper()
	s := &share{TB: t}
	ours, theirs := s.multistatus(got), s.multistatus(want)
	if g, w := slices.Sorted(slices.Values(ours.hrefs)), slices.Sorted(slices.Values(theirs.hrefs)); !slices.Equal(g, w) {
		t.Errorf("%s: %q, x/net says %q", name, g, w)
		return
	}
	for href, w := range theirs.responses {
		g := ours.responses[href]
		g.props, w.props = withoutInner(g.props), withoutInner(w.props)
		// dav's Handler may have more properties: getetag of a collection, lockdiscovery.
		maps.DeleteFunc(g.props, func(name xml.Name, _ msProp) bool { _, both := w.props[name]; return !both && name.Space == "DAV:" })
		if g.status != w.status || !maps.Equal(g.props, w.props) {
			t.Errorf("%s: %s is %+v, x/net says %+v", name, href, g, w)
		}
	}
}

// withoutInner removes the parts that XML can express in several ways.
func withoutInner(props map[xml.Name]msProp) map[xml.Name]msProp {
	plain := make(map[xml.Name]msProp)
	for name, p := range props {
		p.inner = ""
		plain[name] = p
	}
	return plain
}
