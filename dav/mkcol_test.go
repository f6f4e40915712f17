package dav_test

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/deadprops"
)

func TestMkcol(t *testing.T) {
	for _, c := range []struct {
		name, target string
		fields       []string
		status       int
		made         string
	}{
		{"§9.3 new", "/new/", nil, 201, "/new/"},
		{"§5.2 without its slash", "/new", nil, 201, "/new/"},
		{"in a collection", "/c/s/new/", nil, 201, "/c/s/new/"},
		{"hostile name", "/%25%23%3f%26%0a%22%c3%a4%20/", nil, 201, "/%#?&\n\"ä /"},
		{"§9.3.1 collection", "/c/", nil, 405, ""},
		{"§9.3.1 file", "/f", nil, 405, ""},
		{"§9.3.1 file with a slash", "/f/", nil, 405, ""},
		{"§9.3.1 root", "/", nil, 405, ""},
		{"§9.3.1 no parent", "/none/new/", nil, 409, ""},
		{"§9.3.1 no parent's parent", "/none/none/new/", nil, 409, ""},
		{"§9.3.1 the parent is a file", "/f/new/", nil, 409, ""},
		{"§9.3.1 its parent is a file", "/f/none/new/", nil, 409, ""},
		{"reserved name", "/.davd-x/", nil, 403, ""},
		{"in a reserved name", "/.davd-x/new/", nil, 403, ""},
		{"§10.4 If that does not hold", "/new/", []string{"If: (<urn:x>)"}, 412, ""},
		{"§10.4 If that is malformed", "/new/", []string{"If: x"}, 400, ""},
		{"RFC 9110 §13.1.1 If-Match", "/new/", []string{"If-Match: *"}, 412, ""},
		{"RFC 9110 §13.2.1 a 405 comes before the conditions", "/c/", []string{"If-None-Match: *"}, 405, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				a := s.wants(c.status, "MKCOL", c.target, c.fields...)
				if c.made == "" {
					s.holds(garden())
					return
				}
				s.holds(garden().with(layout{c.made: ""}))
				if got, want := a.header.Get("ETag"), s.do("HEAD", c.target).header.Get("ETag"); got != want || got == "" {
					s.Errorf("ETag %q, HEAD says %q", got, want)
				}
			})
		})
	}
}

// TestMkcolBody checks that a MKCOL with any body is refused (§9.3).
func TestMkcolBody(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	for _, c := range []struct {
		name, rest string
		status     int
	}{
		{"Content-Length", "Content-Length: 3\n\nabc", 415},
		{"XML", "Content-Type: application/xml\nContent-Length: 4\n\n<a/>", 415},
		{"chunked", "Transfer-Encoding: chunked\n\n3\nabc\n0\n\n", 415},
		{"refused early", "Expect: 100-continue\nContent-Length: 3\n\n", 415},
		{"cut off", "Transfer-Encoding: chunked\n\n3", 400},
		{"on a collection", "Content-Length: 0\n\n", 405},
	} {
		connection := s.dial()
		target := "/new"
		if c.status == 405 {
			target = "/c"
		}
		connection.write("MKCOL " + target + " HTTP/1.1\n" + c.rest)
		if c.status == 400 {
			connection.end()
		}
		if got := connection.status(); got != c.status {
			t.Errorf("%s: %d, want %d", c.name, got, c.status)
		}
	}
	s.holds(garden())
	for i, rest := range []string{"Content-Length: 0\n\n", "Transfer-Encoding: chunked\n\n0\n\n", "\n"} {
		name := "/new" + strings.Repeat("x", i)
		connection := s.dial()
		connection.write("MKCOL " + name + " HTTP/1.1\n" + rest)
		if got := connection.status(); got != 201 {
			t.Errorf("%q: %d, want 201", rest, got)
		}
	}
}

// TestMkcolLocked tests a MKCOL in a locked collection (§7.4).
func TestMkcolLocked(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		token := s.lock("/c/", "Depth: 0")
		s.wants(423, "MKCOL", "/c/new/")
		s.holds(garden())
		s.wants(201, "MKCOL", "/c/s/new/")
		s.wants(201, "MKCOL", "/c/new/", "If: </c/> (<"+token+">)")
	})
}

// TestMkcolProperties checks that a new collection and its members don't get properties
// of earlier resources.
func TestMkcolProperties(t *testing.T) {
	props := deadprops.NewMem()
	s := serveMem(t, &dav.Handler{State: stateOf(t, parts{properties: props})}, garden())
	for _, target := range []string{"/c/", "/c/m", "/f"} {
		s.sends(207, "PROPPATCH", target, setProp)
	}
	if err := s.fsys.RemoveAll(t.Context(), "/c"); err != nil {
		t.Fatal(err)
	}
	s.wants(201, "MKCOL", "/c/")
	for name, want := range map[string]bool{"/c": false, "/f": true} {
		if got, err := props.Any(t.Context(), name); got != want || err != nil {
			t.Errorf("%s has properties: %t, %v", name, got, err)
		}
	}
	// A refused MKCOL removes no properties, not even if it lost a race with another
	// MKCOL.
	s.before = func(op, name string) error {
		if op == "stat" && name == "/" {
			s.before = nil
			s.wants(201, "MKCOL", "/new/")
			s.sends(207, "PROPPATCH", "/new/", setProp)
		}
		return nil
	}
	s.wants(405, "MKCOL", "/new/")
	if got, err := props.Any(t.Context(), "/new"); !got || err != nil {
		t.Errorf("the properties have gone, %v", err)
	}
}

func TestMkcolFailures(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{fs.ErrPermission, 403},
		{syscall.ENOSPC, 507},
		{fs.ErrExist, 405},    // another program creates it
		{fs.ErrNotExist, 409}, // another program removes its parent
		{errors.New("the disk is broken"), 500},
	} {
		s := serveMem(t, &dav.Handler{}, garden())
		s.fail(c.err, "mkdir", "/new")
		a := s.wants(c.status, "MKCOL", "/new")
		if (a.header.Get("Allow") != "") != (c.status == http.StatusMethodNotAllowed) {
			t.Errorf("Allow %q", a.header.Get("Allow"))
		}
	}
}

// TestMkcolRace checks that only one of many simultaneous MKCOLs creates the
// collection.
func TestMkcolRace(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		statuses := make(chan int, 16)
		var clients sync.WaitGroup
		for range 16 {
			clients.Go(func() {
				a, err := send(s.TB, s.server, "MKCOL", "/new/", "")
				if err != nil {
					s.Error(err)
				}
				statuses <- a.status
			})
		}
		clients.Wait()
		close(statuses)
		count := map[int]int{}
		for status := range statuses {
			count[status]++
		}
		if count[201] != 1 || count[405] != 15 {
			s.Errorf("%v", count)
		}
	})
}
