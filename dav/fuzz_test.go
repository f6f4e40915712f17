package dav

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
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
		if clean := path.Clean("/" + u.Path); clean != path.Clean(h.prefix(t.Context())+name) {
			t.Fatalf("%q with the prefix %q leads to %q", destination, prefix, name)
		}
		checkHref(t, h, name)
	})
}
