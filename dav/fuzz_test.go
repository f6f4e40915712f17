package dav

import (
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// FuzzDestination: a Destination yields a clean name that is not reserved, or is
// refused with a matching status. The href of the name yields the same name.
func FuzzDestination(f *testing.F) {
	for _, destination := range []string{"/a", "http://davd.test/dav/a%20b/", "/dav/../%2e%2e/x", "/dav/%2Edavd-x", "//davd.test/a", "http://[::1]:80/", "a:b", "/dav/%00"} {
		for _, prefix := range []string{"", "/dav/"} {
			f.Add(destination, prefix, "davd.test")
		}
	}
	f.Fuzz(func(t *testing.T, destination, prefix, host string) {
		if strings.Contains(prefix, "\x00") {
			return
		}
		h := &Handler{Prefix: prefix, FileSystem: webdav.NewMemFS()}
		r := &http.Request{Host: host, Header: http.Header{"Destination": {destination}}}
		name, err := h.destination(r)
		if err != nil {
			switch status.Of(err) {
			case http.StatusBadRequest, http.StatusForbidden, http.StatusBadGateway:
			default:
				t.Fatalf("status %d: %v", status.Of(err), err)
			}
			return
		}
		if name != storage.Clean(name) || storage.Reserved(name) || strings.Contains(name, "\x00") {
			t.Fatalf("%q leads to %q", destination, name)
		}
		u, err := url.Parse(destination)
		if err != nil {
			t.Fatal(err)
		}
		if clean := path.Clean("/" + u.Path); clean != path.Clean(h.prefix()+name) {
			t.Fatalf("%q with the prefix %q leads to %q", destination, prefix, name)
		}
		checkHref(t, h, name)
	})
}

// FuzzInterimHeader: with any names and numbers, there is one Progress, in ASCII, and
// an interim response is shorter than 1 KiB.
func FuzzInterimHeader(f *testing.F) {
	f.Add("/a", "b c", int64(1), int64(2), int64(3), int64(4), "davd.test", uint8(3))
	f.Add("/", strings.Repeat("ä", 130), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), "[::1]:8080", uint8(64))
	f.Add("/a", "\"\\\r\n)", int64(0), int64(0), int64(0), int64(0), strings.Repeat("x", 900), uint8(64))
	f.Fuzz(func(t *testing.T, root, member string, done, known, bytes, knownBytes int64, host string, outcomes uint8) {
		root = storage.Clean(root)
		current := storage.Clean(root + "/" + member)
		if current != root && !strings.HasPrefix(current, strings.TrimSuffix(root, "/")+"/") {
			return // .. in member
		}
		progress := tree.Progress{
			Done: max(done, 0), Known: max(known, 0), Bytes: max(bytes, 0), KnownBytes: max(knownBytes, 0), Final: true, Current: current,
		}
		monitor := new(tree.Monitor)
		taken := monitor.Subscribe()
		for i := range outcomes {
			var err error
			if i%2 == 0 {
				err = fs.ErrPermission
			}
			monitor.Resolve(current, err)
		}
		h := &Handler{FileSystem: webdav.NewMemFS()}
		e := &emitter{
			config: &h.Interim, grant: grant{asked: true, limit: unlimited}, monitor: monitor, outcomes: taken, root: root,
			success: http.StatusCreated, url: h.absoluteURL(&http.Request{Host: host}),
		}
		header := e.header(progress)
		value := header.Get("Progress")
		if !progressABNF.MatchString(value) {
			t.Fatalf("%q is not a Progress", value)
		}
		if size := interimOverhead + headerSize(header); size >= 1024 {
			t.Fatalf("%d bytes in %q", size, header)
		}
		if uris := header["Status-URI"]; len(uris) > 0 && isASCII(host) {
			if !isASCII(uris[0]) {
				t.Fatalf("Status-URI is %q", uris[0])
			}
			if outcomes > 1 && !strings.HasPrefix(uris[0], "403 <") {
				t.Fatalf("a failure is not first in %q", uris[0])
			}
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
