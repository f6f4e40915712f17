package dav_test

import (
	"strings"
	"testing"

	"github.com/davd/davd/dav"
)

// TestUnlockToken: the header Lock-Token has a token in angle brackets (RFC 4918
// §10.5), or without them, as the npm package webdav sends it.
func TestUnlockToken(t *testing.T) {
	for _, c := range []struct {
		name, header string
		status       int
	}{
		{"§10.5 in brackets", "<{token}>", 204},
		{"§10.5 bare", "{token}", 204},
		{"§10.5 another in brackets", "<urn:uuid:00000000-0000-0000-0000-000000000000>", 409},
		{"§10.5 another, bare", "urn:uuid:00000000-0000-0000-0000-000000000000", 409},
		{"§10.5 only opened", "<{token}", 400},
		{"§10.5 only closed", "{token}>", 400},
		{"§10.5 two", "<{token}>, <{token}>", 400},
		{"§10.5 two, bare", "{token}, {token}", 400},
		{"§10.5 in two pairs of brackets", "<<{token}>>", 400},
		{"§6.5 not a URI", "xxx", 400},
		{"§6.5 not a URI, in brackets", "<xxx>", 409},
		{"§10.5 in parentheses", "(<{token}>)", 400},
		{"§10.5 brackets alone", "<>", 400},
		{"§10.5 empty", "", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			token := s.lock("/f")
			s.wants(c.status, "UNLOCK", "/f", "Lock-Token: "+strings.ReplaceAll(c.header, "{token}", token))
			want := 423
			if c.status == 204 {
				want = 204
			}
			s.sends(want, "PUT", "/f", "new")
		})
	}
	s := serveMem(t, &dav.Handler{}, garden())
	s.lock("/f")
	s.wants(400, "UNLOCK", "/f")
}
