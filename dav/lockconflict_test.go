package dav_test

import (
	"testing"

	"github.com/davd/davd/dav"
)

// TestLockConflictHrefs: a multi-status names each resource once, even if it has
// several locks (RFC 4918 §14.24).
func TestLockConflictHrefs(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	for range 3 {
		s.lockFor(sharedBody, "/c/m", "Depth: 0")
		s.lockFor(sharedBody, "/c/s/d", "Depth: 0")
	}
	a := s.send("LOCK", "/c/", lockBody)
	m := s.multistatus(a) // it fails if an href is repeated
	s.failures(a, map[string]int{"/c/m": 423, "/c/s/d": 423, "/c/": 424})
	if len(m.hrefs) != 3 {
		t.Errorf("%q", m.hrefs)
	}
	s.failures(s.do("DELETE", "/c/"), map[string]int{"/c/m": 423, "/c/s/d": 423})
}
