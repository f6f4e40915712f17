package dav_test

import (
	"testing"

	"github.com/davd/davd/dav"
)

// TestFileAtCollectionURL: a URL that ends in a slash names a collection (RFC 4918
// §5.2), so no request creates a file there.
func TestFileAtCollectionURL(t *testing.T) {
	for _, c := range []struct {
		name, method, target string
		status               int
	}{
		{"§9.7.2 PUT of a missing resource", "PUT", "/x/", 409},
		{"§9.7.2 PUT of a missing resource in a collection", "PUT", "/c/x/", 409},
		{"§9.7.2 PUT, two slashes", "PUT", "/x//", 409},
		{"§9.7.2 PUT, an encoded slash", "PUT", "/x%2F", 409},
		{"§9.7.2 PUT, a dot", "PUT", "/x/.", 409},
		{"§9.7.2 PUT, two dots", "PUT", "/x/y/..", 409},
		{"§9.7.2 PUT in a missing collection", "PUT", "/none/x/", 409},
		{"§9.7.2 PUT to a collection", "PUT", "/c/", 405},
		{"§9.7.2 PUT to a collection, no slash", "PUT", "/c", 405},
		{"§9.7.2 PUT to the root", "PUT", "/", 405},
		{"§9.7 PUT to a file", "PUT", "/f/", 409},
		{"§7.3 LOCK of a missing resource", "LOCK", "/x/", 409},
		{"§7.3 LOCK of a missing resource, two slashes", "LOCK", "/c/x//", 409},
		{"§7.3 LOCK in a missing collection", "LOCK", "/none/x/", 409},
		{"§9.10 LOCK of a collection", "LOCK", "/c/", 200},
		{"RFC 5789 PATCH of a missing resource", "PATCH", "/x/", 404},
		{"RFC 5789 PATCH of a file", "PATCH", "/f/", 409},
		{"RFC 5789 PATCH of a collection", "PATCH", "/c/", 405},
		{"§9.3 MKCOL", "MKCOL", "/x/", 201},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				body, fields := "content", []string(nil)
				switch c.method {
				case "LOCK":
					body = lockBody
				case "MKCOL":
					body = ""
				case "PATCH":
					fields = []string{"Content-Type: application/x-sabredav-partialupdate", "X-Update-Range: bytes=0-6"}
				}
				a := s.sends(c.status, c.method, c.target, body, fields...)
				if c.status == 405 && a.header.Get("Allow") == "" {
					t.Error("no Allow")
				}
				want := garden()
				if c.method == "MKCOL" {
					want["/x/"] = ""
				}
				s.holds(want)
				if c.status == 409 && c.method == "LOCK" {
					s.sends(409, "LOCK", c.target, lockBody) // the first request has not locked it
				}
			})
		})
	}
}

// TestContentLocation: a request for a collection without its slash gets its URL (RFC
// 4918 §5.2). No other request and no error gets one.
func TestContentLocation(t *testing.T) {
	for _, c := range []struct {
		name, method, target, body string
		fields                     []string
		status                     int
		want                       string
	}{
		{"GET", "GET", "/dav/c", "", nil, 200, "/dav/c/"},
		{"HEAD", "HEAD", "/dav/c", "", nil, 200, "/dav/c/"},
		{"PROPFIND, Depth 0", "PROPFIND", "/dav/c", askAll, []string{"Depth: 0"}, 207, "/dav/c/"},
		{"PROPFIND, Depth 1", "PROPFIND", "/dav/c", askAll, []string{"Depth: 1"}, 207, "/dav/c/"},
		{"PROPFIND, noroot", "PROPFIND", "/dav/c", askAll, []string{"Depth: 1,noroot"}, 207, "/dav/c/"},
		{"PROPPATCH", "PROPPATCH", "/dav/c", instructions(set("<x:a/>")), nil, 207, "/dav/c/"},
		{"LOCK", "LOCK", "/dav/c", lockBody, nil, 200, "/dav/c/"},
		{"the root of the prefix", "PROPFIND", "/dav", askAll, []string{"Depth: 0"}, 207, "/dav/"},
		{"a name that needs escapes", "GET", "/dav/%C3%A4%20%23", "", nil, 200, "/dav/%C3%A4%20%23/"},
		{"with the slash", "PROPFIND", "/dav/c/", askAll, []string{"Depth: 1"}, 207, ""},
		{"GET with the slash", "GET", "/dav/c/", "", nil, 200, ""},
		{"a file", "GET", "/dav/f", "", nil, 200, ""},
		{"a file's properties", "PROPFIND", "/dav/f", askAll, []string{"Depth: 0"}, 207, ""},
		{"a missing resource", "GET", "/dav/none", "", nil, 404, ""},
		{"RFC 9110 §8.7 an error", "GET", "/dav/c", "", []string{`If-Match: "x"`}, 412, ""},
		{"RFC 9110 §8.7 an error of PROPFIND", "PROPFIND", "/dav/c", askAll, []string{"Depth: infinity"}, 403, ""},
		{"MKCOL", "MKCOL", "/dav/new", "", nil, 201, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{Prefix: "/dav", Listings: dav.Listings{Infinity: -1}}, garden().with(layout{"/ä #/x": ""}))
			a := s.sends(c.status, c.method, c.target, c.body, c.fields...)
			if got := a.header.Get("Content-Location"); got != c.want {
				t.Errorf("Content-Location %q, want %q", got, c.want)
			}
		})
	}
}
