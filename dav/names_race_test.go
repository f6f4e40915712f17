package dav_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/davd/davd/dav"
)

// swap atomically replaces name in a local share by a symbolic link to text. It keeps
// the old resource beside it.
func (s *share) swap(text, name string) {
	temporary := s.dir + "/swapped"
	if err := os.Symlink(text, temporary); err != nil {
		s.Error(err)
		return
	}
	if info, err := os.Lstat(s.dir + name); err == nil && info.IsDir() {
		if err := os.Rename(s.dir+name, s.dir+"/kept"); err != nil {
			s.Error(err)
		}
	}
	if err := os.Rename(temporary, s.dir+name); err != nil {
		s.Error(err)
	}
}

var swappedRequests = []struct {
	method, target, body string
	fields               []string
	// strict says that the method does not follow a link that replaces a collection,
	// either.
	strict bool
}{
	{"PUT", "/x", "new", nil, true},
	{"PUT", "/new", "new", nil, true},
	{"PUT", "/x", strings.Repeat("long", 32<<10), nil, true},
	{"PATCH", "/x", "new", []string{"Content-Type: application/x-sabredav-partialupdate", "X-Update-Range: append"}, true},
	{"PROPPATCH", "/x", `<propertyupdate xmlns="DAV:"><set><prop><getlastmodified>Mon, 12 Jan 1998 09:25:56 GMT</getlastmodified></prop></set></propertyupdate>`, nil, false},
	{"MKCOL", "/new", "", nil, false},
	{"DELETE", "/x", "", nil, false},
	{"DELETE", "/s", "", nil, false},
	{"LOCK", "/new", lockBody, nil, false},
	{"MOVE", "/x", "", []string{"Destination: /moved"}, false},
	{"COPY", "/s", "", []string{"Destination: {to}/new"}, false},
	{"COPY", "/f", "", []string{"Destination: {to}/x"}, false},
}

// TestSwappedAtEachCall swaps a symbolic link in the path before each call of the
// storage in turn. No request may change a resource that another client has locked,
// wherever the link leads.
func TestSwappedAtEachCall(t *testing.T) {
	for _, c := range swappedRequests {
		for _, at := range []string{"/l", "/free"} {
			if at == "/free" && !c.strict {
				continue // as the type place says
			}
			t.Run(c.method+c.target+" "+at, func(t *testing.T) {
				const most = 100
				for n := 1; n < most; n++ {
					s := serveLocal(t, &dav.Handler{}, layout{"/locked/x": "old", "/locked/s/y": "old", "/free/x": "free", "/free/s/y": "free"})
					s.link("free", "/l")
					s.lock("/locked")
					before := s.times("locked")
					var calls atomic.Int64
					s.before = func(string, string) error {
						if calls.Add(1) == int64(n) {
							s.swap("locked", at)
						}
						return nil
					}
					fields := make([]string, len(c.fields))
					for i, field := range c.fields {
						fields[i] = strings.ReplaceAll(field, "{to}", at)
					}
					a := s.send(c.method, at+c.target, c.body, fields...)
					s.before = nil
					if now := s.times("locked"); now != before {
						t.Fatalf("swapped before call %d: %d, and what is locked is no longer\n%s\nbut\n%s", n, a.status, before, now)
					}
					s.server.Close()
					if calls.Load() < int64(n) {
						return
					}
				}
				t.Errorf("more than %d calls", most)
			})
		}
	}
}

// times returns the names, times and contents of everything in the directory.
func (s *share) times(dir string) string {
	s.Helper()
	var all strings.Builder
	err := filepath.Walk(filepath.Join(s.dir, dir), func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		content, _ := os.ReadFile(path)
		fmt.Fprintln(&all, path, info.ModTime(), string(content))
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	return all.String()
}

// TestSwappedWhileRunning swaps a link back and forth while clients write through it,
// and another client locks and unlocks one of its targets. That target must not change
// while it is locked.
func TestSwappedWhileRunning(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{"/a/x": "old", "/b/x": "old"})
	s.link("a", "/l")
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for client := range 4 {
		running.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				name := fmt.Sprintf("/l/%d-%d", client, i%8)
				s.send("PUT", name, "new")
				s.send("PUT", "/l/x", name)
				s.send("MKCOL", name+"c", "")
				s.send("MOVE", name, "", "Destination: "+name+"moved")
				s.send("DELETE", name+"moved", "")
				s.send("DELETE", name+"c", "")
			}
		})
	}
	running.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			s.swap([]string{"a", "b"}[i%2], "/l")
		}
	})
	for range 20 {
		token := s.lockWhenFree("/a")
		before := s.times("a")
		for range 20 {
			s.wants(423, "DELETE", "/a/x")
		}
		if now := s.times("a"); now != before {
			t.Errorf("it changed under a lock: from\n%sto\n%s", before, now)
		}
		s.wants(204, "UNLOCK", "/a", "Lock-Token: <"+token+">")
	}
	stop()
	running.Wait()
}

// lockWhenFree locks target as soon as no other request is changing it.
func (s *share) lockWhenFree(target string) string {
	for {
		a := s.send("LOCK", target, lockBody)
		if a.status/100 == 2 {
			return strings.Trim(a.header.Get("Lock-Token"), "<>")
		}
	}
}
