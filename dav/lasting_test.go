package dav_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/davd/davd/dav"
)

// TestSucceed: other options take effect for new requests, while an operation that is under
// way goes on. The successor lists it and respects its claim.
func TestSucceed(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{"/a": "content"})
	var newest atomic.Pointer[dav.Handler]
	newest.Store(s.h)
	s.server.Close()
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { newest.Load().ServeHTTP(w, r) }))
	defer s.server.Close()

	began, release, copied := make(chan struct{}), make(chan struct{}), make(chan int)
	var first atomic.Bool
	s.before = func(op, name string) error {
		if op == "open" && name == "/a" && first.CompareAndSwap(false, true) {
			close(began)
			<-release
		}
		return nil
	}
	go func() {
		a, err := send(t, s.server, "COPY", "/a", "", "Destination: /b")
		if err != nil {
			t.Error(err)
		}
		copied <- a.status
	}()
	<-began
	succeed := func(next *dav.Handler) {
		next.FileSystem = s.h.FileSystem
		next.Succeed(newest.Load())
		newest.Store(next)
	}
	succeed(&dav.Handler{ReadOnly: true})
	s.wants(http.StatusForbidden, "MKCOL", "/c")
	if running := newest.Load().Operations(); len(running) != 1 || running[0].Source != "/a" {
		t.Errorf("running: %v", running)
	}
	succeed(&dav.Handler{})
	s.wants(http.StatusLocked, "MKCOL", "/b") // the COPY holds its claim
	close(release)
	if got := <-copied; got != http.StatusCreated {
		t.Errorf("COPY: %d", got)
	}
	s.holds(layout{"/a": "content", "/b": "content"})
}
