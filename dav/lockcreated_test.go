package dav_test

import (
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
)

// TestPutUnderLock: for its client, the first PUT to a file that LOCK created creates
// the file (RFC 4918 §7.3). Every other PUT to an empty file replaces it (RFC 9110
// §9.3.4).
func TestPutUnderLock(t *testing.T) {
	type step struct {
		method, target, body string
		status               int
	}
	for _, c := range []struct {
		name, locked string
		depth        string
		steps        []step
	}{
		{"§7.3 created by LOCK", "/new", "0", []step{{"PUT", "/new", "x", 201}, {"PUT", "/new", "y", 204}}},
		{"§7.3 created by LOCK, first PUT empty", "/new", "0", []step{{"PUT", "/new", "", 201}, {"PUT", "/new", "y", 204}}},
		{"§7.3 created by LOCK, emptied", "/new", "0", []step{{"PUT", "/new", "x", 201}, {"PUT", "/new", "", 204}, {"PUT", "/new", "y", 204}}},
		{"§7.3 created by LOCK, with Depth infinity", "/new", "infinity", []step{{"PUT", "/new", "x", 201}, {"PUT", "/new", "y", 204}}},
		{"§7.3 created by LOCK, properties first", "/new", "0", []step{{"PROPPATCH", "/new", instructions(set("<x:a/>")), 207}, {"PUT", "/new", "x", 201}}},
		{"RFC 9110 §9.3.4 old and empty", "/empty", "0", []step{{"PUT", "/empty", "x", 204}, {"PUT", "/empty", "", 204}, {"PUT", "/empty", "y", 204}}},
		{"RFC 9110 §9.3.4 old and empty, Depth infinity", "/empty", "infinity", []step{{"PUT", "/empty", "x", 204}}},
		{"RFC 9110 §9.3.4 old, not empty", "/f", "0", []step{{"PUT", "/f", "", 204}, {"PUT", "/f", "x", 204}}},
		{"RFC 9110 §9.3.4 empty, in a locked collection", "/c/", "infinity", []step{{"PUT", "/c/old", "x", 204}, {"PUT", "/c/new", "", 201}, {"PUT", "/c/new", "x", 204}}},
	} {
		for manager, system := range map[string]func() webdav.LockSystem{
			"lock.System": func() webdav.LockSystem { return nil }, "x/net's": webdav.NewMemLS,
		} {
			t.Run(c.name+", "+manager, func(t *testing.T) {
				onBackends(t, layout{"/empty": "", "/f": "file", "/c/old": ""}, func(s *share) {
					s.h.LockSystem = system()
					token := s.lock(c.locked, "Depth: "+c.depth)
					for _, st := range c.steps {
						s.sends(st.status, st.method, st.target, st.body, "If: </"+c.locked[1:]+"> (<"+token+">)")
					}
				})
			})
		}
	}
}

// TestPutUnderLaterLock: for the next lock, a file that LOCK created is an old one.
func TestPutUnderLaterLock(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{})
	first := s.lock("/new")
	s.wants(204, "UNLOCK", "/new", "Lock-Token: <"+first+">")
	second := s.lock("/new")
	s.sends(204, "PUT", "/new", "x", "If: (<"+second+">)")
}
