package dav_test

import "testing"

// TestFileAtCollectionURL: a URL that ends in a slash is a collection's (RFC 4918
// §5.2), so no file is made there.
func TestFileAtCollectionURL(t *testing.T) {
	for _, c := range []struct {
		name, method, target string
		status               int
	}{
		{"§9.7.2 PUT where nothing is", "PUT", "/x/", 409},
		{"§9.7.2 PUT where nothing is, in a collection", "PUT", "/c/x/", 409},
		{"§9.7.2 PUT, two slashes", "PUT", "/x//", 409},
		{"§9.7.2 PUT, an encoded slash", "PUT", "/x%2F", 409},
		{"§9.7.2 PUT, a dot", "PUT", "/x/.", 409},
		{"§9.7.2 PUT, two dots", "PUT", "/x/y/..", 409},
		{"§9.7.2 PUT where no collection is", "PUT", "/none/x/", 409},
		{"§9.7.2 PUT to a collection", "PUT", "/c/", 405},
		{"§9.7.2 PUT to a collection, no slash", "PUT", "/c", 405},
		{"§9.7.2 PUT to the root", "PUT", "/", 405},
		{"§9.7 PUT to a file", "PUT", "/f/", 409},
		{"§7.3 LOCK where nothing is", "LOCK", "/x/", 409},
		{"§7.3 LOCK where nothing is, two slashes", "LOCK", "/c/x//", 409},
		{"§7.3 LOCK where no collection is", "LOCK", "/none/x/", 409},
		{"§9.10 LOCK of a collection", "LOCK", "/c/", 200},
		{"RFC 5789 PATCH where nothing is", "PATCH", "/x/", 404},
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
					s.sends(409, "LOCK", c.target, lockBody) // not locked by the first one
				}
			})
		})
	}
}
