package dav_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
)

// TestPeersLocks has a case for each mistake that other servers make with locks.
func TestPeersLocks(t *testing.T) {
	for _, row := range []struct {
		name string
		test func(s *share)
	}{
		{"§6.5 lock tokens are unguessable URIs", func(s *share) {
			var tokens []string
			for range 3 {
				token := s.lock("/f")
				s.wants(204, "UNLOCK", "/f", "Lock-Token: <"+token+">")
				if !strings.HasPrefix(token, "urn:uuid:") || len(token) != len("urn:uuid:")+36 || slices.Contains(tokens, token) {
					s.Errorf("%s after %v", token, tokens)
				}
				tokens = append(tokens, token)
			}
		}},
		{"§9.6 PUT after DELETE of a locked file", func(s *share) {
			token := s.lock("/f")
			s.wants(204, "DELETE", "/f", "If: (<"+token+">)")
			if a := s.send("PUT", "/f", "x"); a.status != 201 {
				s.Errorf("PUT is %d", a.status)
			}
		}},
		{"§9.9.4 locks outlive MOVE (golang/go#42839)", func(s *share) {
			token := s.lock("/c/s/d")
			s.wants(201, "MOVE", "/c/", "Destination: /new/", "If: </c/s/d> (<"+token+">)")
			for _, target := range []string{"/new/s/d", "/c"} {
				if a := s.send("PUT", target, "x"); a.status/100 != 2 {
					s.Errorf("PUT to %s is %d", target, a.status)
				}
			}
		}},
		{"§9.6.1 DELETE of a collection with a locked member", func(s *share) {
			s.lock("/c/s/d")
			s.failures(s.do("DELETE", "/c/"), map[string]int{"/c/s/d": 423})
			s.holds(garden())
		}},
		{"§7.6 MOVE, only the source locked, with the token (golang/go#43556)", func(s *share) {
			token := s.lock("/f")
			s.wants(201, "MOVE", "/f", "Destination: /new", "If: (<"+token+">)")
		}},
		{"§7.6 the lock of the destination stays", func(s *share) {
			token := s.lock("/o/", "Depth: 0")
			s.wants(204, "MOVE", "/c/", "Destination: /o/", "If: <{server}/o/> (<"+token+">)")
			s.wants(204, "UNLOCK", "/o/", "Lock-Token: <"+token+">")
		}},
		{"§7.6 those of the destination's members end", func(s *share) {
			token := s.lock("/o/m")
			s.wants(204, "COPY", "/c/", "Destination: /o/", "If: </o/m> (<"+token+">)")
			s.lock("/", "Depth: infinity")
		}},
		{"§7.5 COPY does not duplicate a lock", func(s *share) {
			s.lock("/f")
			s.wants(201, "COPY", "/f", "Destination: /new")
			s.wants(204, "DELETE", "/new")
		}},
		{"§6.2 shared locks", func(s *share) {
			one, two := s.lockFor(sharedBody, "/f"), s.lockFor(sharedBody, "/f")
			s.wants(204, "UNLOCK", "/f", "Lock-Token: <"+one+">")
			s.wants(204, "UNLOCK", "/f", "Lock-Token: <"+two+">")
		}},
		{"§10.7 an infinite timeout is not Second-0", func(s *share) {
			s.h.LockTimeouts.Max = -1
			a := s.send("LOCK", "/f", lockBody, "Timeout: Infinite")
			if got := s.discovered(a)[0].Timeout; got != "Infinite" {
				s.Errorf("the timeout is %s", got)
			}
		}},
		{"§10.7 an unknown Timeout is ignored", func(s *share) { s.lock("/f", "Timeout: Forever") }},
		{"§10.2 Depth: Infinity", func(s *share) { s.lock("/c/", "Depth: Infinity") }},
		{"§6.8 lockdiscovery", func(s *share) {
			token := s.lock("/c/")
			body := `<propfind xmlns="DAV:"><prop><lockdiscovery/><supportedlock/></prop></propfind>`
			m := s.multistatus(s.send("PROPFIND", "/c/", body, "Depth: infinity"))
			for href, r := range m.responses {
				if got := r.dav("lockdiscovery"); got.status != 200 || strings.Count(got.inner, token) != 1 {
					s.Errorf("%s: %+v", href, got)
				}
				if got := r.dav("supportedlock"); strings.Count(got.inner, "lockentry>") != 4 || !strings.Contains(got.inner, "shared") {
					s.Errorf("%s: %+v", href, got)
				}
			}
			if got := s.multistatus(s.send("PROPFIND", "/f", body, "Depth: 0")).responses["/f"].dav("lockdiscovery"); got.inner != "" || got.status != 200 {
				s.Errorf("/f: %+v", got)
			}
		}},
		{"§10.4.4 an ETag in If is evaluated (golang/go#44493)", func(s *share) {
			token := s.lock("/f")
			if a := s.send("PUT", "/f", "x", `If: (<`+token+`> ["other"])`); a.status != 412 {
				s.Errorf("PUT is %d", a.status)
			}
			etag := s.do("HEAD", "/f").header.Get("ETag")
			if a := s.send("PUT", "/f", "x", `If: (<`+token+`> [`+etag+`])`); a.status != 204 {
				s.Errorf("PUT is %d", a.status)
			}
		}},
		{"§10.4.8 Not in If is evaluated (golang/go#44493)", func(s *share) {
			s.lock("/f")
			if a := s.send("PUT", "/f", "x", `If: (<urn:uuid:0>) (Not <DAV:no-lock>)`); a.status != 423 {
				s.Errorf("PUT is %d", a.status)
			}
		}},
		{"one lock, two requests at a time", func(s *share) {
			token := s.lock("/c/")
			held, goOn := make(chan struct{}), make(chan struct{})
			s.before = func(op, name string) error {
				if op == "open" && name == "/f" {
					close(held)
					<-goOn
				}
				return nil
			}
			done := make(chan answer)
			go func() { done <- s.do("COPY", "/f", "Destination: /c/new", "If: </c/> (<"+token+">)") }()
			<-held
			s.wants(204, "DELETE", "/c/m", "If: </c/> (<"+token+">)")
			close(goOn)
			if a := <-done; a.status != 201 {
				s.Errorf("COPY is %d", a.status)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, b := range backends {
				fsys, dir := b.open(t)
				s := serve(t, fsys, &dav.Handler{}, garden())
				s.dir = dir
				row.test(s)
			}
		})
	}
}
