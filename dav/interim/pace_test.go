package interim

import (
	"fmt"
	"testing"
	"time"
)

// TestInterimRule4Asked: a client that asked gets interim responses when the progress
// changes, but at least at the constant interval, and its last ten at that interval.
func TestInterimRule4Asked(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name           string
		limit          int
		change, length time.Duration
		want           []time.Duration // the first ones
		count          int
	}{
		{"changes all the time", unlimited, s / 2, 6*s + s/4, []time.Duration{0, s, 2 * s, 3 * s, 4 * s, 5 * s, 6 * s}, 7},
		{"a limit of ten", 10, s / 2, time.Hour, []time.Duration{0, 20 * s, 40 * s, 60 * s}, 10},
		{"a limit of twelve", 12, s / 2, time.Hour, []time.Duration{0, s, 21 * s, 41 * s}, 12},
		{"nothing changes", unlimited, 0, time.Minute + s, []time.Duration{0, 20 * s, 40 * s, 60 * s}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := run{grant: Grant{Limit: c.limit, Asked: true, by: "it"}, change: c.change, length: c.length}
			got := ages(p.play(t), p.length)
			if len(got) != c.count || fmt.Sprint(got[:len(c.want)]) != fmt.Sprint(c.want) {
				t.Errorf("%d sent at %v, want %d, at %v", len(got), got, c.count, c.want)
			}
		})
	}
	// Whatever changes when, an idle timer of 20 s doesn't expire.
	for _, change := range []time.Duration{s / 3, 7 * s, 13 * s, 19 * s, 23 * s, time.Minute} {
		p := run{grant: Grant{Limit: unlimited, Asked: true}, change: change, length: 40 * time.Minute}
		previous := time.Duration(0)
		for i, at := range ages(p.play(t), p.length) {
			if gap := at - previous; gap > 20*s || i > 0 && gap < s {
				t.Errorf("with a change each %v, %v from %v to %v", change, gap, previous, at)
			}
			previous = at
		}
	}
}
