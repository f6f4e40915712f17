package dav_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/sqlstate"
)

// TestClaimAfterRefusal checks that a request that is refused under its claim gives the
// claim back: the next request for the same resources is not locked out.
func TestClaimAfterRefusal(t *testing.T) {
	for _, method := range []string{"COPY", "MOVE", "DELETE"} {
		t.Run(method, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			s.wants(412, method, "/f", "Destination: /new", `If-Match: "other"`)
			want := 201
			if method == "DELETE" {
				want = 204
			}
			s.wants(want, method, "/f", "Destination: /new")
		})
	}
}

// reservedProps counts the reservations of room that were not released.
type reservedProps struct {
	deadprops.Store
	reserved *int
	most     *int
}

// Secure implements deadprops.Securer.
func (p reservedProps) Secure(context.Context, string, string, int) (release func(), err error) {
	*p.reserved++
	*p.most = max(*p.most, *p.reserved)
	return func() { *p.reserved-- }, nil
}

// TestRoomIsReleased checks that room that was reserved in the state is released when the
// operation ends.
func TestRoomIsReleased(t *testing.T) {
	db, err := sqlstate.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	reserved, most := 0, 0
	kept := reservedProps{db, &reserved, &most}
	s := serveMem(t, &dav.Handler{State: stateOf(t, parts{properties: kept, journal: db})}, garden())
	s.sends(207, "PROPPATCH", "/f", `<propertyupdate xmlns="DAV:"><set><prop><a xmlns="urn:x">1</a></prop></set></propertyupdate>`)
	for _, line := range [][]string{{"COPY", "/f", "Destination: /g"}, {"MOVE", "/f", "Destination: /h"}, {"DELETE", "/g"}} {
		if a := s.send(line[0], line[1], "", line[2:]...); a.status/100 != 2 {
			t.Fatalf("%s is %d", line[0], a.status)
		}
		if reserved != 0 {
			t.Errorf("%d reservations are left after %s", reserved, line[0])
		}
	}
	if most == 0 {
		t.Error("no room was reserved")
	}
}

// TestProcessingNotPromised checks that a client that asks for interim responses, but may
// not get any, is not told that its preference was applied (RFC 7240 §3).
func TestProcessingNotPromised(t *testing.T) {
	s := serveMem(t, &dav.Handler{Interim: interim.Policy{Mode: interim.Never}}, garden())
	for _, line := range [][]string{{"COPY", "/f", "Destination: /g"}, {"PROPFIND", "/c/", "Depth: 1"}} {
		a := s.send(line[0], line[1], "", append(line[2:], "Prefer: processing")...)
		if applied := a.header.Get("Preference-Applied"); a.status/100 != 2 || applied != "" {
			t.Errorf("%s is %d, with Preference-Applied: %q", line[0], a.status, applied)
		}
	}
}
