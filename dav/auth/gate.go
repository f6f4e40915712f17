package auth

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// gate limits how many passwords are hashed at a time, and makes identical attempts share
// one hash.
//
// Guesses must not hold up users. Therefore there are three kinds of attempts, and each
// kind has its own turns:
//
//   - The password was right before, though that was too long ago to be remembered. An
//     attacker who guesses can't make such an attempt.
//   - The name is in the file.
//   - The name is not in the file. A hash is computed nevertheless, so that the time of a
//     refusal does not reveal which names exist. These attempts may have to wait for long,
//     so every refusal waits for a turn among them.
type gate struct {
	delays delays

	familiar, listed *turns
	refusals         *turns // all under one name: first come, first served

	mu      sync.Mutex
	flights map[flightKey]*flight
}

type attempt struct {
	from   origin
	digest digest
	// familiar says that the password was right before, listed that the name is in the file.
	familiar, listed bool
	matches          func() bool
}

// flightKey identifies identical attempts. It contains the origin, so that one address does
// not wait for the delays of another.
type flightKey struct {
	origin
	digest
}

// flight is a running attempt.
type flight struct {
	landed chan struct{} // closed when it ends
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

// admit returns nil if the password of a is right. Requests that make the same attempt
// at the same time, such as the first connections of a mount, share one call.
func (g *gate) admit(ctx context.Context, a *attempt) error {
	key := flightKey{a.from, a.digest}
	for {
		g.mu.Lock()
		f, running := g.flights[key]
		if !running {
			f = &flight{landed: make(chan struct{}), err: context.Canceled} // err is used if matches panics
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
		if !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) {
			return f.err
		}
		// The client that made the attempt has disconnected: try again.
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

// try makes the attempt when its turn comes, first in the line of its origin, then among
// all attempts of its kind.
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

// hashInTurn compares a's password with the hash of its user. If they don't match, it
// returns errWrong and how long the comparison took.
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

// refuse returns errWrong after the time that it takes to refuse a name that is not in
// the file: it waits for the turn and then as long as a hash takes. If the name is really
// not in the file, it computes that hash. It returns at latest at the latest.
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
