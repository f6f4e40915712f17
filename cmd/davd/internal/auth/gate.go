package auth

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// gate lets few passwords be hashed at a time, and each of them once.
//
// Guesses must not hold up users, so the attempts are of three kinds, each with its
// own turns:
//
//   - The password was right before, though too long ago to be remembered. Nobody
//     who guesses can make such an attempt.
//   - The name is in the file.
//   - It is not. A hash is computed all the same, so that the time of a refusal
//     doesn't tell which names exist. And since these attempts may have to wait for
//     long, every refusal waits for a turn among them.
type gate struct {
	delays delays

	familiar, listed *turns
	refusals         *turns // by no name: first come, first served

	mu      sync.Mutex
	flights map[flightKey]*flight
}

// attempt is a name with a password, and where it comes from.
type attempt struct {
	from   origin
	digest digest
	// familiar: the password was right before. listed: the name is in the file.
	familiar, listed bool
	matches          func() bool
}

// flightKey is an attempt; those of several addresses don't wait for one
// another's delays.
type flightKey struct {
	origin
	digest
}

// flight is an attempt that is under way.
type flight struct {
	landed chan struct{} // closed at the end
	err    error
}

func newGate() *gate {
	processors := runtime.GOMAXPROCS(0)
	return &gate{
		familiar: newTurns(processors),
		listed:   newTurns(processors),
		refusals: newTurns(max(1, processors/2)),
		flights:  make(map[flightKey]*flight),
	}
}

// admit returns nil if a matches. Requests that make the same attempt
// at the same time, as those of a mount's first connections do, share one call.
func (g *gate) admit(ctx context.Context, a *attempt) error {
	key := flightKey{a.from, a.digest}
	for {
		g.mu.Lock()
		f, running := g.flights[key]
		if !running {
			f = &flight{landed: make(chan struct{}), err: context.Canceled} // if matches panics
			g.flights[key] = f
		}
		g.mu.Unlock()
		if !running {
			return g.fly(ctx, key, f, a)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.landed:
		}
		if !ended(f.err) {
			return f.err
		}
		// The request that made the attempt is gone: make it anew.
	}
}

func (g *gate) fly(ctx context.Context, key flightKey, f *flight, a *attempt) error {
	defer func() {
		g.mu.Lock()
		delete(g.flights, key)
		g.mu.Unlock()
		close(f.landed)
	}()
	f.err = g.try(ctx, a)
	return f.err
}

// try waits for its turn, first in the line of its origin, then among all of its kind.
func (g *gate) try(ctx context.Context, a *attempt) error {
	if a.familiar {
		_, err := hashInTurn(ctx, g.familiar, a)
		return err
	}
	line, err := g.delays.enter(ctx, a.from)
	if err != nil {
		return err
	}
	defer g.delays.leave(a.from, line)
	refusal := g.refusals.join(digest{})
	defer g.refusals.leave(refusal)
	latest := time.Now().Add(longestLine)
	var took time.Duration
	if a.listed {
		if took, err = hashInTurn(ctx, g.listed, a); !errors.Is(err, errWrong) {
			return err
		}
	}
	g.delays.fail(line)
	return refuse(ctx, a, refusal, latest, took)
}

// hashInTurn compares a's password with the hash of its user, and returns how long
// that took, and errWrong if they don't match.
func hashInTurn(ctx context.Context, of *turns, a *attempt) (took time.Duration, err error) {
	x := of.join(a.from.name)
	defer of.leave(x)
	if err := x.wait(ctx); err != nil {
		return 0, err
	}
	if a.matches() {
		return 0, nil
	}
	return time.Since(x.at), errWrong
}

// refuse returns errWrong at the time at which an attempt of a name that is not in the
// file would be refused: when its turn has come and a hash was computed, which is what
// it does if a is such an attempt, or at latest.
func refuse(ctx context.Context, a *attempt, refusal *turn, latest time.Time, took time.Duration) error {
	patient, stop := context.WithDeadline(ctx, latest)
	defer stop()
	switch err := refusal.wait(patient); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return errWrong
	case a.listed:
		err = pause(ctx, time.Until(refusal.at.Add(took)))
		return cmp.Or(err, errWrong)
	}
	a.matches()
	return errWrong
}

// ended reports whether err is that of a request that went away.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
