package pgstate

import (
	"testing"
	"time"
)

// TestServerClock: the time of the database at the arrival of a request is known as exactly as
// messages allow, and never wrong when one of the clocks was set.
func TestServerClock(t *testing.T) {
	now := time.Now()
	database := now.Add(17 * time.Hour) // its time now
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for _, test := range []struct {
		name   string
		sample time.Duration // how far the clock was off at the sample
		want   time.Duration // the error of the result, at most
	}{
		{"clocks agree", 0, time.Second},
		{"the clock was set forward since", -time.Hour, 30 * time.Second},
		{"the clock was set back since", time.Hour, 30 * time.Second},
	} {
		var c serverClock
		c.sample(ago(21*time.Second), ago(20*time.Second), database.Add(test.sample-20500*time.Millisecond))
		c.sample(ago(11*time.Second), ago(1*time.Second), database.Add(-5*time.Hour)) // a long trip is a bad sample
		// The message was sent 10 s ago, and the database got it 5 s ago.
		got := c.at(ago(30*time.Second), ago(10*time.Second), database.Add(-5*time.Second))
		if off := got.Sub(database.Add(-30 * time.Second)).Abs(); off > test.want {
			t.Errorf("%s: it is off by %v", test.name, off)
		}
	}
}
