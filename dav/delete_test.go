package dav_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/davd/davd/dav"
)

func TestDelete(t *testing.T) {
	for _, c := range []struct {
		name, target string
		fields       []string
		status       int
		gone         string
	}{
		{name: "§9.6 file", target: "/f", status: 204, gone: "/f"},
		{name: "§9.6.1 collection", target: "/c/", status: 204, gone: "/c"},
		{name: "§5.2 collection without its slash", target: "/c", status: 204, gone: "/c"},
		{name: "empty collection", target: "/c/empty/", status: 204, gone: "/c/empty"},
		{name: "member", target: "/c/s/d", status: 204, gone: "/c/s/d"},
		{name: "encoded", target: "/%63/%6d", status: 204, gone: "/c/m"},
		{name: "§9.6.1 Depth infinity", target: "/c/", fields: []string{"Depth: infinity"}, status: 204, gone: "/c"},
		{name: "§9.6.1 Depth 0", target: "/c/", fields: []string{"Depth: 0"}, status: 400},
		{name: "§9.6.1 Depth 1", target: "/c/", fields: []string{"Depth: 1"}, status: 400},
		{name: "missing", target: "/missing", status: 404},
		{name: "missing member", target: "/c/missing", status: 404},
		{name: "missing collection", target: "/missing/m", status: 404},
		{name: "root", target: "/", status: 403},
		{name: "root by dots", target: "/c/..", status: 403},
		{name: "above the root", target: "/../..", status: 403},
		{name: "reserved", target: "/.davd-x", status: 403},
		{name: "NUL", target: "/f%00", status: 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				a := s.wants(c.status, "DELETE", c.target, c.fields...)
				if c.status == http.StatusNoContent && a.body != "" {
					s.Errorf("a body %q", a.body)
				}
				want := garden()
				if c.gone != "" {
					want = want.without(c.gone)
				}
				s.holds(want)
				s.unlocked("/f", "/c/", "/o/")
			})
		})
	}
	t.Run("the root of a prefix", func(t *testing.T) {
		s := serveMem(t, &dav.Handler{Prefix: "/dav"}, garden())
		s.wants(403, "DELETE", "/dav/")
		s.wants(403, "DELETE", "/dav")
		s.wants(404, "DELETE", "/")
		s.holds(garden())
	})
}

// TestDeletePartial: the answer names a member that can't be removed, but not its
// collections; the other members are removed (§9.6.1).
func TestDeletePartial(t *testing.T) {
	for _, c := range []struct {
		name  string
		op    string
		fails []string
		err   error
		want  map[string]int
		left  layout
	}{
		{"a file", "remove", []string{"/c/s/d"}, fs.ErrPermission, map[string]int{"/c/s/d": 403}, layout{"/c/s/d": "deep"}},
		{"two files", "remove", []string{"/c/s/d", "/c/m"}, syscall.EIO, map[string]int{"/c/s/d": 500, "/c/m": 500}, layout{"/c/s/d": "deep", "/c/m": "member"}},
		{"an empty collection", "remove", []string{"/c/empty"}, syscall.EACCES, map[string]int{"/c/empty/": 403}, layout{"/c/empty/": ""}},
		{"a collection that can't be listed", "readdir", []string{"/c/s"}, syscall.EACCES, map[string]int{"/c/s/": 403}, layout{"/c/s/d": "deep"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.fail(c.err, c.op, c.fails...)
				a := s.do("DELETE", "/c/")
				s.before = nil
				s.failures(a, c.want)
				s.holds(garden().without("/c").with(c.left.full()))
				s.unlocked("/c/")
			})
		})
	}
}

func TestDeleteFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		op     string
		target string
		err    error
		status int
	}{
		{"read-only storage", "remove", "/f", syscall.EROFS, 403},
		{"§9.6.1 the resource itself", "remove", "/f", syscall.EACCES, 403},
		{"§9.6.1 the resource itself, broken", "remove", "/f", syscall.EIO, 500},
		{"§9.6.1 a collection that can't be listed", "readdir", "/c", syscall.EACCES, 403},
		{"§9.6.1 an empty collection", "remove", "/c/empty", syscall.EACCES, 403},
		{"a file that can't be described", "stat", "/f", syscall.EIO, 500},
		{"a file that may not be described", "stat", "/f", syscall.EACCES, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.fail(c.err, c.op, c.target)
				s.wants(c.status, "DELETE", c.target)
				s.before = nil
				s.holds(garden())
				s.unlocked(c.target)
			})
		})
	}
}

// TestDeleteLink: a DELETE removes a symbolic link, and keeps its target.
func TestDeleteLink(t *testing.T) {
	for _, c := range []struct{ name, link, target, gone string }{
		{"to a file", "/c/link", "../f", "/c/link"},
		{"to a collection", "/c/link", "../o", "/c/link"},
		{"in the collection", "/c/link", "../o", "/c"},
		{"to its own collection", "/c/link", ".", "/c"},
		{"dangling, in the collection", "/c/link", "nowhere", "/c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			if err := os.Symlink(c.target, filepath.Join(s.dir, c.link)); err != nil {
				t.Skip(err)
			}
			s.wants(204, "DELETE", c.gone)
			s.holds(garden().without(c.gone))
		})
	}
}

func TestReadOnly(t *testing.T) {
	s := serveMem(t, &dav.Handler{ReadOnly: true}, garden())
	for _, method := range []string{"PUT", "MKCOL", "DELETE", "COPY", "MOVE", "LOCK", "UNLOCK", "PROPPATCH"} {
		for _, target := range []string{"/f", "/c/", "/new", "/.davd-x"} {
			s.wants(403, method, target, "Destination: /new")
		}
	}
	s.holds(garden())
	s.wants(200, "GET", "/f")
	s.wants(200, "HEAD", "/f")
	s.wants(207, "PROPFIND", "/c/")
	s.wants(200, "OPTIONS", "/f")
}
