package dav_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
)

// TestDelegate: the methods that x/net serves work under a prefix.
func TestDelegate(t *testing.T) {
	for _, prefix := range []string{"", "/dav", "/dav/", "dav/x"} {
		t.Run(prefix, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.h.Prefix = prefix
				base := strings.TrimSuffix("/"+strings.TrimPrefix(prefix, "/"), "/")

				get := s.wants(200, "GET", base+"/c/m")
				if get.body != "member" || get.header.Get("ETag") == "" || get.header.Get("Last-Modified") == "" {
					s.Errorf("GET is %+v", get)
				}
				head := s.wants(200, "HEAD", base+"/c/m")
				if head.body != "" || head.header.Get("Content-Length") != "6" || head.header.Get("ETag") != get.header.Get("ETag") {
					s.Errorf("HEAD is %+v", head)
				}
				if a := s.wants(206, "GET", base+"/c/m", "Range: bytes=1-2"); a.body != "em" {
					s.Errorf("a range is %q", a.body)
				}
				s.wants(304, "GET", base+"/c/m", "If-None-Match: "+get.header.Get("ETag"))
				s.wants(404, "GET", base+"/missing")
				s.wants(405, "GET", base+"/c/")
				s.wants(404, "HEAD", base+"/missing")
				if prefix != "" {
					s.wants(404, "GET", "/c/m")
				}

				if a := s.send("PUT", base+"/new%20file", "new"); a.status != 201 || a.header.Get("ETag") == "" {
					s.Errorf("PUT is %+v", a)
				}
				if a := s.wants(200, "GET", base+"/new%20file"); a.body != "new" {
					s.Errorf("GET is %q", a.body)
				}
				if a := s.send("PUT", base+"/missing/new", "new"); a.status != 409 {
					s.Errorf("PUT without a parent is %d", a.status)
				}
				s.wants(201, "MKCOL", base+"/made/")
				s.wants(405, "MKCOL", base+"/made")
				s.wants(409, "MKCOL", base+"/missing/made")
				s.holds(garden().with(layout{"/new file": "new", "/made/": ""}))

				token := s.lock(base + "/f")
				if a := s.send("PUT", base+"/f", "stolen"); a.status != 423 {
					s.Errorf("PUT onto a locked file is %d", a.status)
				}
				if a := s.send("PUT", base+"/f", "mine", "If: (<"+token+">)"); a.status/100 != 2 {
					s.Errorf("PUT with the token is %d", a.status)
				}
				if a := s.send("PUT", base+"/f", "mine", "If: <{server}"+base+"/f> (<"+token+">)"); a.status/100 != 2 {
					s.Errorf("PUT with the tagged token is %d", a.status)
				}
				s.wants(204, "UNLOCK", base+"/f", "Lock-Token: <"+token+">")
				if a := s.send("LOCK", base+"/lock-null", lockBody); a.status != 201 {
					s.Errorf("LOCK of a new name is %d", a.status)
				}
				if got := s.content("/f"); got != "mine" {
					s.Errorf("/f is %q", got)
				}
				if a := s.send("PROPPATCH", base+"/c/m", setProp); a.status != http.StatusMultiStatus || !strings.Contains(a.body, "<D:href>"+base+"/c/m</D:href>") {
					s.Errorf("PROPPATCH is %d: %s", a.status, a.body)
				}
				s.wants(404, "PROPPATCH", base+"/missing")
			})
		})
	}
}

// TestDelegateNames: x/net gets the name that the others get.
func TestDelegateNames(t *testing.T) {
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

// TestDelegateLogger: what x/net logs, and what dav does, comes to Logger,
// once.
func TestDelegateLogger(t *testing.T) {
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
		// The log of this one is written before the next one is answered, on
		// the same connection.
		s.do("OPTIONS", "/")
		if len(logged) < 1 || (logged[0] != nil) != c.fails {
			t.Errorf("%s %s is logged as %v", c.method, c.target, logged)
		}
	}
}

// readerFromRecorder records what is handed to the connection's ReadFrom.
type readerFromRecorder struct {
	http.ResponseWriter
	sources *[]io.Reader
}

func (r readerFromRecorder) ReadFrom(source io.Reader) (int64, error) {
	*r.sources = append(*r.sources, source)
	connection, ok := r.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return connection.ReadFrom(source)
}

// TestDelegateSendfile: a GET hands the file itself to the connection, which
// then has the kernel send it.
func TestDelegateSendfile(t *testing.T) {
	const size = 8 << 20
	fsys, dir := openLocal(t)
	if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	var sources []io.Reader
	h := &dav.Handler{FileSystem: fsys}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(readerFromRecorder{w, &sources}, r)
	}))
	defer server.Close()
	a, err := send(t, server, "GET", "/big", "")
	if err != nil || a.status != 200 || len(a.body) != size {
		t.Fatalf("status %d, %d bytes, %v", a.status, len(a.body), err)
	}
	if len(sources) != 1 {
		t.Fatalf("%d calls of ReadFrom, want 1", len(sources))
	}
	limited, ok := sources[0].(*io.LimitedReader)
	if !ok {
		t.Fatalf("the source is a %T", sources[0])
	}
	if _, ok := limited.R.(*os.File); !ok {
		t.Errorf("the source is a %T, want an *os.File", limited.R)
	}
}

// TestDelegateLockSystem: without a LockSystem locks live as long as the
// Handler, with one they live there.
func TestDelegateLockSystem(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	s.lock("/f")
	s.wants(423, "DELETE", "/f")
	locks := webdav.NewMemLS()
	s = serveMem(t, &dav.Handler{LockSystem: locks}, garden())
	s.lock("/f")
	other := serveMem(t, &dav.Handler{LockSystem: locks}, garden())
	other.wants(423, "DELETE", "/f")
}
