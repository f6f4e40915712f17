package dav_test

import (
	"io/fs"
	"slices"
	"testing"

	"github.com/davd/davd/dav"
)

// TestPropfindNoRoot checks that noroot ([MS-WDV]) leaves out the resource itself.
func TestPropfindNoRoot(t *testing.T) {
	below := []string{"/c/empty/", "/c/m", "/c/s/"}
	for _, c := range []struct {
		name, target, depth string
		want                []string // nil: 400
	}{
		{"the members", "/c/", "1,noroot", below},
		{"all that is below", "/c/", "infinity,noroot", append([]string{"/c/s/d"}, below...)},
		{"white space and case (RFC 4918 §8.2)", "/c/", "1 , NoRoot", below},
		{"without the slash", "/c", "1,noroot", below},
		{"the share", "/", "1,noroot", []string{"/c/", "/f", "/o/", "/old"}},
		{"an empty collection", "/c/empty/", "1,noroot", []string{}},
		{"all below an empty collection", "/c/empty/", "infinity,noroot", []string{}},
		{"a file has no members", "/f", "1,noroot", []string{}},
		{"nothing is left of 0", "/c/", "0,noroot", nil},
		{"noroot alone", "/c/", "noroot", nil},
		{"another word", "/c/", "1,root", nil},
		{"twice", "/c/", "1,noroot,noroot", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				a := s.send("PROPFIND", c.target, askAll, "Depth: "+c.depth)
				if c.want == nil {
					if a.status != 400 {
						t.Errorf("%d: %s", a.status, a.body)
					}
					return
				}
				m := s.multistatus(a)
				slices.Sort(m.hrefs)
				slices.Sort(c.want)
				if !slices.Equal(m.hrefs, c.want) {
					t.Errorf("%q, want %q", m.hrefs, c.want)
				}
			})
		})
	}
	s := serveMem(t, &dav.Handler{}, garden())
	s.wants(404, "PROPFIND", "/none/", "Depth: 1,noroot")
	s.wants(400, "COPY", "/c/", "Destination: /x", "Depth: infinity,noroot")
	s.wants(400, "DELETE", "/c/", "Depth: infinity,noroot")
	s.sends(400, "LOCK", "/c/", lockBody, "Depth: infinity,noroot")
	s.holds(garden())
	// A collection that can't be listed must not look empty.
	s.fail(fs.ErrPermission, "readdir", "/c")
	if a := s.send("PROPFIND", "/c/", askAll, "Depth: 1,noroot"); a.status == 207 && len(s.multistatus(a).hrefs) == 0 {
		t.Errorf("%d: %s", a.status, a.body)
	}
}

// TestMoveDepth checks that a MOVE with Depth 0 works for a file but not for a
// collection (RFC 4918 §9.9.2).
func TestMoveDepth(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		s.wants(400, "MOVE", "/c/", "Destination: /x", "Depth: 0")
		s.wants(400, "MOVE", "/c", "Destination: /x", "Depth: 0")
		s.wants(400, "MOVE", "/c/", "Destination: /x", "Depth: 1")
		s.wants(400, "MOVE", "/f", "Destination: /x", "Depth: 1")
		s.wants(404, "MOVE", "/none", "Destination: /x", "Depth: 0")
		s.holds(garden())
		s.wants(201, "MOVE", "/f", "Destination: /x", "Depth: 0")
		s.wants(204, "MOVE", "/x", "Destination: /old", "Depth: 0")
		s.wants(201, "MOVE", "/c/", "Destination: /y", "Depth: infinity")
	})
}
