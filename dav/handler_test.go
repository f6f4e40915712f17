package dav_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
)

// TestMethodsUnderPrefix: every method works under a prefix, in any spelling of the
// prefix.
func TestMethodsUnderPrefix(t *testing.T) {
	for _, prefix := range []string{"", "/dav", "/dav/", "dav/x"} {
		t.Run(prefix, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.h.Prefix = prefix
				base := strings.TrimSuffix("/"+strings.TrimPrefix(prefix, "/"), "/")
				if a := s.wants(200, "GET", base+"/c/m"); a.body != "member" {
					s.Errorf("GET is %q", a.body)
				}
				if a := s.wants(200, "HEAD", base+"/c/m"); a.body != "" || a.header.Get("Content-Length") != "6" {
					s.Errorf("HEAD is %+v", a)
				}
				if prefix != "" {
					s.wants(404, "GET", "/c/m")
				}
				s.sends(201, "PUT", base+"/new%20file", "new")
				s.sends(409, "PUT", base+"/missing/new", "new")
				s.wants(201, "MKCOL", base+"/made/")
				s.wants(405, "MKCOL", base+"/made")
				s.wants(409, "MKCOL", base+"/missing/made")
				s.holds(garden().with(layout{"/new file": "new", "/made/": ""}))

				token := s.lock(base + "/f")
				s.sends(423, "PUT", base+"/f", "stolen")
				s.sends(204, "PUT", base+"/f", "mine", "If: (<"+token+">)")
				s.sends(204, "PUT", base+"/f", "mine too", "If: <{server}"+base+"/f> (<"+token+">)")
				s.wants(204, "UNLOCK", base+"/f", "Lock-Token: <"+token+">")
				s.sends(201, "LOCK", base+"/lock-null", lockBody)
				if got := s.content("/f"); got != "mine too" {
					s.Errorf("/f is %q", got)
				}
				if a := s.sends(207, "PROPPATCH", base+"/c/m", setProp); !strings.Contains(a.body, "<D:href>"+base+"/c/m</D:href>") {
					s.Errorf("PROPPATCH: %s", a.body)
				}
				s.wants(404, "PROPPATCH", base+"/missing")
			})
		})
	}
}

// TestRequestNames: one resource has many URLs.
func TestRequestNames(t *testing.T) {
	for _, c := range []struct{ target, name string }{
		{"/dav/%66", "/f"},
		{"/dav//f", "/f"},
		{"/dav/c/../f", "/f"},
		{"/dav/f/", "/f"},
		{"/d%61v/f", "/f"},
		{"/dav/c%2Fm", "/c/m"},
		{"/dav/%2e%2e/dav/f", "/f"},
		{"//dav/f", "/f"},
	} {
		t.Run(c.target, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{Prefix: "/dav"}, garden())
			if a := s.wants(200, "GET", c.target); a.body != garden()[c.name] {
				t.Errorf("%q, want %q", a.body, garden()[c.name])
			}
			s.wants(204, "DELETE", c.target)
			s.holds(garden().without(c.name))
		})
	}
}

// TestLogger: Logger is called once for each request.
func TestLogger(t *testing.T) {
	var logged []error
	s := serveMem(t, &dav.Handler{Logger: func(_ *http.Request, err error) { logged = append(logged, err) }}, garden())
	for _, c := range []struct {
		method, target string
		fails          bool
	}{
		{"GET", "/f", false},
		{"GET", "/missing", true},
		{"DELETE", "/missing", true},
		{"PATCH", "/f", true},
		{"PROPFIND", "/f", false},
		{"DELETE", "/f", false},
		{"OPTIONS", "/new", false},
	} {
		logged = nil
		s.do(c.method, c.target)
		// This request is logged before the next one on the same connection is answered.
		s.do("OPTIONS", "/")
		if len(logged) < 1 || (logged[0] != nil) != c.fails {
			t.Errorf("%s %s is logged as %v", c.method, c.target, logged)
		}
	}
}

// TestLockSystem: without a LockSystem, locks end with the Handler; with one, they are
// kept there.
func TestLockSystem(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	s.lock("/f")
	s.wants(423, "DELETE", "/f")
	locks := webdav.NewMemLS()
	s = serveMem(t, &dav.Handler{LockSystem: locks}, garden())
	s.lock("/f")
	other := serveMem(t, &dav.Handler{LockSystem: locks}, garden())
	other.wants(423, "DELETE", "/f")
}
