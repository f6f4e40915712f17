package dav_test

import (
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/lock"
)

// ownedBody asks for an exclusive lock with an owner of n bytes.
func ownedBody(n int) string {
	return `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>` +
		`<D:owner>` + strings.Repeat("o", n) + `</D:owner></D:lockinfo>`
}

// TestLockOwnerLimit: a lock with too long an owner gets a 507 with a reason, and
// creates nothing (RFC 4918 §9.10, §11.5, §14.17).
func TestLockOwnerLimit(t *testing.T) {
	for name, locks := range map[string]webdav.LockSystem{"lock.System": nil, "plain": webdav.NewMemLS()} {
		t.Run(name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{LockSystem: locks}, garden())
			for _, target := range []string{"/f", "/new"} {
				a := s.send("LOCK", target, ownedBody(lock.DefaultMaxOwner+1), "Timeout: Second-60")
				if a.status != 507 || !strings.Contains(a.body, "the owner of a lock may have at most 8192 bytes") {
					t.Errorf("LOCK of %s: %d %s", target, a.status, a.body)
				}
			}
			s.holds(garden())
			s.sends(204, "PUT", "/f", "not locked")
			if a := s.send("LOCK", "/f", ownedBody(lock.DefaultMaxOwner), "Timeout: Second-60"); a.status != 200 {
				t.Errorf("the longest owner: %d %s", a.status, a.body)
			}
		})
	}
}

// TestLockOwnersLimit: many locks with long owners get a 507, but locks with short
// owners don't. One client may take three quarters of the limit.
func TestLockOwnersLimit(t *testing.T) {
	locks, err := lock.New(t.Context(), lock.Options{MaxOwners: 24_000})
	if err != nil {
		t.Fatal(err)
	}
	s := serveMem(t, &dav.Handler{LockSystem: locks}, garden())
	for _, c := range []struct {
		target string
		owner  int
		status int
	}{{"/f", 8000, 200}, {"/old", 8000, 200}, {"/c/m", 8000, 507}, {"/new", 2001, 507}, {"/c/m", 2000, 200}, {"/new", 0, 201}} {
		a := s.send("LOCK", c.target, ownedBody(c.owner), "Timeout: Second-60")
		if a.status != c.status || c.status == 507 && !strings.Contains(a.body, "unlock some") {
			t.Errorf("LOCK of %s with %d bytes: %d %s", c.target, c.owner, a.status, a.body)
		}
	}
}
