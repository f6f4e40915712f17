package auth

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// freeFailures cost no delay: people mistype. As many attempts of an origin
	// are made at a time, so that a burst has no more than these for free.
	freeFailures = 3
	// firstDelay comes before the attempt after those. It doubles with each
	// failure, up to longestDelay.
	firstDelay   = 250 * time.Millisecond
	longestDelay = 8 * time.Second
	// longestLine is how long an attempt waits for those before it.
	longestLine = 30 * time.Second
	// forgetAfter is how long a failure counts.
	forgetAfter = 10 * time.Minute
	// maxOrigins bounds the memory that whoever has many addresses can take.
	maxOrigins = 10_000
)

// tooManyError is an attempt that would wait too long.
type tooManyError struct{ retryAfter time.Duration }

func (e *tooManyError) Error() string {
	return fmt.Sprintf("too many attempts have failed: try again in %s seconds", seconds(e.retryAfter))
}

// delays are what failures cost their origins in time. The zero value is ready.
type delays struct {
	mu    sync.Mutex
	lines map[origin]*line
}

// line is the attempts of one origin. It is kept while there are any, and while
// one that has failed counts.
type line struct {
	places chan struct{} // of the attempts that are made

	waiting  int // attempts that are made or wait, under delays.mu as the rest
	failures int
	last     time.Time // of the failures
	// end is when the last of the attempts that are delayed is made.
	end time.Time
}

// enter waits until an attempt may be made. Leave must follow, unless there is an
// error.
func (d *delays) enter(ctx context.Context, from origin) (*line, error) {
	l := d.join(from, time.Now())
	err := d.advance(ctx, l)
	if err != nil {
		d.part(from, l)
		return nil, err
	}
	return l, nil
}

// fail notes that the attempt has failed. Success does not lessen the failures: who
// has one password may be guessing another.
func (d *delays) fail(l *line) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.failures++
	l.last = time.Now()
}

// leave ends the attempt.
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

// advance takes a place, after the delay. An attempt that had none when it
// joined, and while it waited for a place others failed, begins anew.
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

// reserve returns how long an attempt must wait, after those before it.
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

// delayAfter is what the next attempt waits after so many failures.
func delayAfter(failures int) time.Duration {
	delay := firstDelay
	for range failures - freeFailures {
		if delay *= 2; delay >= longestDelay {
			return longestDelay
		}
	}
	return delay
}

// makeRoomLocked forgets a quarter of the lines when there are as many as there
// may be, those first that count no more. One that is in use stays.
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
	if d == 0 {
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
