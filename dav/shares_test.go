package dav_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/memstate"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/storagetest"
)

// newSharesHandler returns a Handler of the shares /a, /x/b and /a/in, which are in memory, and
// /down, which isn't available.
func newSharesHandler(t *testing.T) *dav.Handler {
	t.Helper()
	memory := func(context.Context, string) (storage.FS, error) { return webdav.NewMemFS(), nil }
	fsys, err := mount.New(
		mount.Share{ID: "a", At: "/a", Open: memory}, mount.Share{ID: "b", At: "/x/b", Open: memory},
		mount.Share{ID: "in", At: "/a/in", Open: memory},
		mount.Share{ID: "down", At: "/down", Open: func(context.Context, string) (storage.FS, error) { return nil, errors.New("no disk") }},
	)
	if err != nil {
		t.Fatal(err)
	}
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/a/f": "f", "/a/d": "/", "/a/d/g": "g", "/a/in/h": "h", "/x/b/old": "old"})
	state, err := memstate.New(lock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &dav.Handler{FileSystem: fsys, State: fsys.State(state)}
}

const (
	sharesLock  = `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`
	sharesPatch = `<propertyupdate xmlns="DAV:"><set><prop><p xmlns="urn:x">v</p></prop></set></propertyupdate>`
)

// TestShares checks what requests between shares do, and that the places of shares can't be changed.
func TestShares(t *testing.T) {
	for _, test := range []struct {
		method, path, destination, body string
		want                            int
	}{
		{"COPY", "/a/d", "/x/b/d", "", 201},
		{"COPY", "/a", "/x/b/new", "", 201},
		{"COPY", "/x", "/a/new", "", 201},
		{"MOVE", "/a/d", "/x/b/old", "", 204},
		{"MOVE", "/x/b/old", "/a/in/new", "", 201},
		{"DELETE", "/a/in/h", "", "", 204},
		{"MKCOL", "/a/in/c", "", "", 201},
		{"PROPPATCH", "/a/in", "", sharesPatch, 207},
		{"LOCK", "/a/in/h", "", sharesLock, 200},
		{"DELETE", "/a", "", "", 403},
		{"DELETE", "/a/in", "", "", 403},
		{"DELETE", "/x", "", "", 403},
		{"DELETE", "/", "", "", 403},
		{"MOVE", "/a/in", "/x/b/in", "", 403},
		{"MOVE", "/x", "/a/x", "", 403},
		{"MOVE", "/a/f", "/x", "", 403},
		{"MOVE", "/a/f", "/x/b", "", 403},
		{"COPY", "/a/f", "/x/b", "", 403},
		{"COPY", "/a/d", "/new", "", 403},
		{"MOVE", "/a/d", "/x/new", "", 403},
		{"MKCOL", "/new", "", "", 403},
		{"PUT", "/new", "", "content", 403},
		{"MKCOL", "/none/new", "", "", 409},
		{"LOCK", "/", "", sharesLock, 403},
		{"LOCK", "/new", "", sharesLock, 403},
		{"PROPPATCH", "/x", "", sharesPatch, 403},
		{"GET", "/down/f", "", "", 503},
		{"PUT", "/down/f", "", "content", 503},
		{"MKCOL", "/down/c", "", "", 503},
		{"DELETE", "/down/f", "", "", 503},
		{"COPY", "/a/d", "/down/d", "", 503},
		{"MOVE", "/a/d", "/down/d", "", 503},
		{"COPY", "/down/d", "/a/new", "", 503},
		{"LOCK", "/down/f", "", sharesLock, 503},
		{"PROPFIND", "/down", "", "", 503},
	} {
		t.Run(test.method+" "+test.path+" "+test.destination, func(t *testing.T) {
			h := newSharesHandler(t)
			before := storagetest.ReadTree(t, h.FileSystem, "/a")
			r := httptest.NewRequest(test.method, "http://h"+test.path, strings.NewReader(test.body))
			if test.destination != "" {
				r.Header.Set("Destination", "http://h"+test.destination)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != test.want {
				t.Fatalf("%d, want %d: %s", w.Code, test.want, w.Body)
			}
			if test.method == "PROPPATCH" && test.want == 207 && !strings.Contains(w.Body.String(), "200 OK") {
				t.Errorf("%s", w.Body)
			}
			if after := storagetest.ReadTree(t, h.FileSystem, "/a"); test.want >= 400 && len(after) != len(before) {
				t.Errorf("/a had %q and has %q", before, after)
			}
		})
	}
}

// TestSharesListing checks that a listing crosses shares, and names one that is not available.
func TestSharesListing(t *testing.T) {
	for depth, want := range map[string][]string{
		"1":        {"/", "/a/", "/x/", "/down/"},
		"infinity": {"/", "/a/", "/a/f", "/a/d/", "/a/d/g", "/a/in/", "/a/in/h", "/x/", "/x/b/", "/x/b/old", "/down/"},
	} {
		r := httptest.NewRequest("PROPFIND", "http://h/", nil)
		r.Header.Set("Depth", depth)
		w := httptest.NewRecorder()
		newSharesHandler(t).ServeHTTP(w, r)
		body := w.Body.String()
		for _, href := range want {
			if strings.Count(body, "<D:href>"+href+"</D:href>") != 1 {
				t.Errorf("depth %s: %s is not listed once: %s", depth, href, body)
			}
		}
		if n := strings.Count(body, "</D:href>"); n != len(want) {
			t.Errorf("depth %s: %d resources, want %d", depth, n, len(want))
		}
		if n := strings.Count(body, "503 Service Unavailable"); n != strings.Count(depth, "infinity") {
			t.Errorf("depth %s: %d are unavailable: %s", depth, n, body)
		}
	}
}
