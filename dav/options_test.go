package dav_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
)

func TestOptions(t *testing.T) {
	const (
		onFile       = "OPTIONS, COPY, DELETE, GET, HEAD, LOCK, MOVE, PATCH, PROPFIND, PROPPATCH, PUT, UNLOCK"
		onCollection = "OPTIONS, COPY, DELETE, GET, HEAD, LOCK, MOVE, PROPFIND, PROPPATCH, UNLOCK"
		onNothing    = "OPTIONS, LOCK, MKCOL, PUT"
	)
	for _, c := range []struct {
		name, target string
		readOnly     bool
		allow, class string
	}{
		{"§10.1 file", "/dav/f", false, onFile, "1, 2, 3, sabredav-partialupdate"},
		{"§10.1 collection", "/dav/c/", false, onCollection, "1, 2, 3, sabredav-partialupdate"},
		{"§10.1 root", "/dav/", false, onCollection, "1, 2, 3, sabredav-partialupdate"},
		{"§10.1 root without its slash", "/dav", false, onCollection, "1, 2, 3, sabredav-partialupdate"},
		{"RFC 9110 §9.3.7 nothing there", "/dav/new", false, onNothing, "1, 2, 3, sabredav-partialupdate"},
		{"read-only file", "/dav/f", true, "OPTIONS, GET, HEAD, PROPFIND", "1, 3"},
		{"read-only collection", "/dav/c/", true, "OPTIONS, GET, HEAD, PROPFIND", "1, 3"},
		{"read-only, nothing there", "/dav/new", true, "OPTIONS", "1, 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{Prefix: "/dav", ReadOnly: c.readOnly}, garden())
			a := s.wants(200, "OPTIONS", c.target)
			if got := a.header.Get("Allow"); got != c.allow {
				t.Errorf("Allow %q, want %q", got, c.allow)
			}
			if got := a.header.Get("DAV"); got != c.class {
				t.Errorf("DAV %q, want %q", got, c.class)
			}
			want := ""
			if strings.Contains(c.allow, ", PATCH") {
				want = "application/x-sabredav-partialupdate,"
			}
			if strings.Contains(c.allow, ", PUT") {
				want += "application/partial-upload"
			}
			if got := strings.Join(a.header.Values("Accept-Patch"), ","); got != want {
				t.Errorf("RFC 5789 §3.1 Accept-Patch %q, want %q", got, want)
			}
			if got := a.header.Get("MS-Author-Via"); got != "DAV" {
				t.Errorf("MS-Author-Via %q", got)
			}
			if a.body != "" || a.header.Get("Content-Length") != "0" {
				t.Errorf("a body %q, Content-Length %q", a.body, a.header.Get("Content-Length"))
			}
		})
	}
}

// TestAllowIsTrue checks that no method in Allow is refused as not allowed.
func TestAllowIsTrue(t *testing.T) {
	for _, target := range []string{"/f", "/c/", "/new"} {
		allow := strings.Split(serveMem(t, &dav.Handler{}, garden()).do("OPTIONS", target).header.Get("Allow"), ", ")
		for _, method := range allow {
			s := serveMem(t, &dav.Handler{}, garden())
			a := s.do(method, target, "Destination: /elsewhere")
			if slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, a.status) {
				t.Errorf("%s %s is %d", method, target, a.status)
			}
		}
	}
}

// TestOptionsServer tests OPTIONS *, which is about the server (RFC 9110 §9.3.7).
func TestOptionsServer(t *testing.T) {
	for _, c := range []struct {
		readOnly     bool
		allow, class string
	}{
		{false, "OPTIONS, COPY, DELETE, GET, HEAD, LOCK, MKCOL, MOVE, PATCH, PROPFIND, PROPPATCH, PUT, UNLOCK", "1, 2, 3, sabredav-partialupdate"},
		{true, "OPTIONS, GET, HEAD, PROPFIND", "1, 3"},
	} {
		s := serveMem(t, &dav.Handler{Prefix: "/dav", ReadOnly: c.readOnly}, garden())
		s.server.Config.DisableGeneralOptionsHandler = true // so that it comes to the Handler
		connection := s.dial()
		connection.write("OPTIONS * HTTP/1.1\n\n")
		a := connection.response()
		if a.status != 200 || a.header.Get("Allow") != c.allow || a.header.Get("DAV") != c.class || a.header.Get("Content-Length") != "0" {
			t.Errorf("%+v, want %+v", a, c)
		}
	}
}

// TestMethodNotAllowed checks that a 405 has the same Allow as OPTIONS (RFC 9110
// §15.5.6).
func TestMethodNotAllowed(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		for _, c := range []struct{ method, target string }{
			{"POST", "/f"},
			{"POST", "/c/"},
			{"POST", "/"},
			{"PUT", "/c/"},
			{"PUT", "/c"},
			{"MKCOL", "/c/"},
			{"MKCOL", "/f"},
			{"MKCOL", "/"},
		} {
			a := s.wants(http.StatusMethodNotAllowed, c.method, c.target)
			allow, want := a.header.Values("Allow"), s.do("OPTIONS", c.target).header.Values("Allow")
			if !slices.Equal(allow, want) || len(want) != 1 || slices.Contains(strings.Split(want[0], ", "), c.method) {
				s.Errorf("%s %s: Allow %q, OPTIONS says %q", c.method, c.target, allow, want)
			}
		}
		s.wants(http.StatusNotFound, "POST", "/none")
		s.holds(garden())
	})
}

func TestUnknownMethod(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	for _, method := range []string{"TRACE", "BIND", "SEARCH", "copy", "X"} {
		s.wants(http.StatusNotImplemented, method, "/f", "Destination: /new")
	}
	s.holds(garden())
}

func TestNoFileSystem(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, nil)
	s.h.FileSystem = nil
	for _, method := range []string{"GET", "PROPFIND", "COPY", "OPTIONS"} {
		s.wants(http.StatusInternalServerError, method, "/")
	}
}

// TestReserved checks that no method can see or create reserved names.
func TestReserved(t *testing.T) {
	with := garden().with(layout{"/.davd-x/inner": "secret", "/c/.DAVD-y": "secret"}.full())
	onBackends(t, with, func(s *share) {
		for _, target := range []string{"/.davd-x", "/.davd-x/inner", "/%2edavd-x/inner", "/c/.DAVD-y", "/.davd-none", "/c/.davd-x/new"} {
			for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS", "PROPFIND"} {
				s.wants(http.StatusNotFound, method, target)
			}
			for _, method := range []string{"PUT", "MKCOL", "LOCK", "UNLOCK", "PROPPATCH", "DELETE", "COPY", "MOVE"} {
				s.wants(http.StatusForbidden, method, target, "Destination: /new")
			}
			for _, method := range []string{"COPY", "MOVE"} {
				s.wants(http.StatusForbidden, method, "/f", "Destination: "+target)
			}
		}
		s.holds(with)
		// A COPY does not copy reserved names, and a PROPFIND does not show them.
		s.wants(201, "COPY", "/c/", "Destination: /new/")
		s.holds(with.with(garden().at("/c", "/new")))
		for href := range s.multistatus(s.do("PROPFIND", "/", "Depth: infinity")).responses {
			if strings.Contains(strings.ToLower(href), "davd-") {
				s.Errorf("%s is shown", href)
			}
		}
	})
}

// TestPrefixNotFound checks that paths outside the prefix get 404.
func TestPrefixNotFound(t *testing.T) {
	s := serveMem(t, &dav.Handler{Prefix: "/dav"}, garden())
	for _, method := range []string{"GET", "PUT", "PROPFIND", "DELETE", "COPY", "MOVE", "MKCOL", "LOCK", "OPTIONS"} {
		for _, target := range []string{"/f", "/davd/f", "/davf", "/dav/../f", "/"} {
			s.wants(http.StatusNotFound, method, target, "Destination: /dav/new")
		}
	}
	s.holds(garden())
}
