package auth

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// freeFailures is how many failures cause no delay, because people mistype. An origin
	// can also make only this many attempts at a time, so that a burst does not get around
	// the delay.
	freeFailures = 3
	// firstDelay is the delay of the next attempt. It doubles with each failure, up to
	// longestDelay.
	firstDelay   = 250 * time.Millisecond
	longestDelay = 8 * time.Second
	// longestLine is how long an attempt may have to wait before it is refused.
	longestLine = 30 * time.Second
	// forgetAfter is how long a failure counts.
	forgetAfter = 10 * time.Minute
	// maxOrigins limits the memory that an attacker with many addresses can use up.
	maxOrigins = 10_000
)

// tooManyError is the error for an attempt that would have to wait too long.
type tooManyError struct{ retryAfter time.Duration }

func (e *tooManyError) Error() string {
	return fmt.Sprintf("too many failed attempts: try again in %s seconds", seconds(e.retryAfter))
}

// delays slows down origins with failed attempts. The zero value is ready to use.
type delays struct {
	mu    sync.Mutex
	lines map[origin]*line
}

// line holds the attempts of one origin. It is kept while it has attempts or failures
// that still count.
type line struct {
	places chan struct{} // one element for each running attempt

	// The following fields are guarded by delays.mu.

	waiting  int // attempts that run or wait
	failures int
	last     time.Time // of the last failure
	// end is when the last of the delayed attempts will run.
	end time.Time
}

// enter waits until an attempt may run. The caller must call leave afterwards, unless
// enter returns an error.
func (d *delays) enter(ctx context.Context, from origin) (*line, error) {
	l := d.join(from, time.Now())
	err := d.advance(ctx, l)
	if err != nil {
		d.part(from, l)
		return nil, err
	}
	return l, nil
}

// fail records a failed attempt. A success does not reset the failures, because a client
// that knows one password may be guessing another.
func (d *delays) fail(l *line) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.failures++
	l.last = time.Now()
}

func (d *delays) leave(from origin, l *line) {
	<-l.places
	d.part(from, l)
}

func (d *delays) join(from origin, now time.Time) *line {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lines[from]
	if l == nil {
		d.makeRoomLocked(now)
		l = &line{places: make(chan struct{}, freeFailures)}
		d.lines[from] = l
	}
	if now.Sub(l.last) >= forgetAfter {
		l.failures = 0
	}
	l.waiting++
	return l
}

func (d *delays) part(from origin, l *line) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.waiting--
	if l.waiting == 0 && l.failures == 0 && d.lines[from] == l {
		delete(d.lines, from)
	}
}

// advance takes a place, after the delay. An attempt without a delay starts again if too
// many others failed while it waited for a place.
func (d *delays) advance(ctx context.Context, l *line) error {
	for {
		delay, err := d.reserve(l, time.Now())
		if err != nil {
			return err
		}
		if err := pause(ctx, delay); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case l.places <- struct{}{}:
		}
		if delay > 0 || !d.slow(l) {
			return nil
		}
		<-l.places
	}
}

// reserve returns how long an attempt must wait, including the attempts before it.
func (d *delays) reserve(l *line, now time.Time) (time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.failures < freeFailures {
		return 0, nil
	}
	start := l.end
	if start.Before(now) {
		start = now
	}
	end := start.Add(delayAfter(l.failures))
	if end.Sub(now) > longestLine {
		return 0, &tooManyError{end.Sub(now)}
	}
	l.end = end
	return end.Sub(now), nil
}

func (d *delays) slow(l *line) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return l.failures >= freeFailures
}

// delayAfter returns the delay of the attempt that follows this number of failures, which
// must be at least freeFailures.
func delayAfter(failures int) time.Duration {
	delay := firstDelay
	for range failures - freeFailures {
		if delay *= 2; delay >= longestDelay {
			return longestDelay
		}
	}
	return delay
}

// makeRoomLocked forgets a quarter of the lines when there are maxOrigins, beginning with
// those whose failures no longer count. It keeps lines that are in use.
func (d *delays) makeRoomLocked(now time.Time) {
	if d.lines == nil {
		d.lines = make(map[origin]*line)
	}
	if len(d.lines) < maxOrigins {
		return
	}
	for _, least := range []time.Duration{forgetAfter, 0} {
		for from, l := range d.lines {
			if len(d.lines) > maxOrigins*3/4 && l.waiting == 0 && now.Sub(l.last) >= least {
				delete(d.lines, from)
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
