package dav_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
)

// TestJoinPerson: only requests of the same person join, or get a lost answer again. An
// unknown client may be anyone.
func TestJoinPerson(t *testing.T) {
	cases := []struct {
		name          string
		principal     func(*http.Request) string
		onePerson     bool
		first, second string // X-User
		joins         bool
	}{
		{"no Principal", nil, false, "", "", false},
		{"no Principal, and all are one person", nil, true, "", "", true},
		{"one principal", byHeader, false, "ann", "ann", true},
		{"two principals", byHeader, false, "ann", "ben", false},
		{"two principals, and unknown clients are one person", byHeader, true, "ann", "ben", false},
		{"unknown clients beside principals", byHeader, false, "", "", false},
		{"unknown clients beside principals are one person", byHeader, true, "", "", true},
		{"a principal and an unknown client", byHeader, true, "ann", "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{}
				s, g := inBubble(t, h)
				h.Principal, h.OnePerson = c.principal, c.onePerson
				first, second := s.dial(), s.dial()
				first.ask("DELETE /src", "X-User: "+c.first)
				<-g.waiting
				second.ask("DELETE /src", "X-User: "+c.second)
				time.Sleep(5 * time.Second)
				g.open()
				want := map[bool]int{true: 204, false: 423}[c.joins]
				if _, a := second.final(); a.status != want {
					t.Errorf("the second request, at the same time, is %d, want %d", a.status, want)
				}
				if _, a := first.final(); a.status != 204 {
					t.Errorf("the first one is %d", a.status)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{}
				s, g := inBubble(t, h)
				h.Principal, h.OnePerson = c.principal, c.onePerson
				lose(s, g, "DELETE /src", "X-User: "+c.first)
				want := map[bool]int{true: 204, false: 404}[c.joins]
				if a := s.dial().gets("DELETE /src", "X-User: "+c.second); a.status != want {
					t.Errorf("the second request, after the answer was lost, is %d, want %d", a.status, want)
				}
			})
		})
	}
}
