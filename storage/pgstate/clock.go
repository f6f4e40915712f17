package pgstate

import (
	"sync"
	"time"
)

// serverClock tells what time it was on the clock of the database at a moment of this process. The
// renewals of the lease are samples. The one with the shortest round trip is the best.
type serverClock struct {
	mu   sync.Mutex
	best clockSample
}

// clockSample says that the clock of the database was at a time at some moment of a round trip.
type clockSample struct {
	sent time.Time
	trip time.Duration
	at   time.Time
}

// sampleAge is how long a sample is used: clocks of machines drift apart.
const sampleAge = time.Minute

// sample adds a sample.
func (c *serverClock) sample(sent, received, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := (clockSample{sent, received.Sub(sent), at}); s.trip <= c.best.trip || sent.Sub(c.best.sent) > sampleAge {
		c.best = s
	}
}

// at returns the time of the database at a moment. began is the time of the database when it got a
// message that was sent then and has been answered now. So the result is certain up to the time
// that this has taken, even if the clock of the database was set. Within that, the best sample
// decides.
func (c *serverClock) at(moment, sent, began time.Time) time.Time {
	earliest, latest := began.Add(-time.Since(moment)), began.Add(moment.Sub(sent))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.best.sent.IsZero() {
		return latest
	}
	guess := c.best.at.Add(moment.Sub(c.best.sent) - c.best.trip/2)
	if guess.Before(earliest) {
		return earliest
	}
	if guess.After(latest) {
		return latest
	}
	return guess
}
