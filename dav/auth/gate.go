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
//   - The name is known.
//   - The name is unknown. A hash is computed nevertheless, so that the time of a
//     refusal does not reveal which names exist. These attempts may have to wait for long,
//     so every refusal waits for a turn among them.
//
// The first two have other turns if another server has to be asked, so that local users
// don't wait for that server.
type gate struct {
	delays delays

	familiar, listed             *turns
	familiarRemote, listedRemote *turns
	refusals                     *turns // all under one name: first come, first served

	mu      sync.Mutex
	flights map[flightKey]*flight
}

type attempt struct {
	from   origin
	digest digest
	// familiar says that the password was right before.
	familiar bool
	standing Standing // of the name
	// least is the least time that a refusal takes.
	least  time.Duration
	verify func(context.Context) (*Identity, error)
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
	id     *Identity
	err    error
}

// remoteTurns is how many attempts ask other servers at a time. They need no processor.
const remoteTurns = 16

func newGate() *gate {
	processors := runtime.GOMAXPROCS(0)
	return &gate{
		familiar: newTurns(processors),
		listed:   newTurns(processors),

		familiarRemote: newTurns(remoteTurns),
		listedRemote:   newTurns(remoteTurns),

		refusals: newTurns(max(1, processors/2)),
		flights:  make(map[flightKey]*flight),
	}
}

// admit returns the user if the password of a is right. Requests that make the same attempt
// at the same time, such as the first connections of a mount, share one call.
func (g *gate) admit(ctx context.Context, a *attempt) (*Identity, error) {
	key := flightKey{a.from, a.digest}
	for {
		g.mu.Lock()
		f, running := g.flights[key]
		if !running {
			f = &flight{landed: make(chan struct{}), err: context.Canceled} // err is used if verify panics
			g.flights[key] = f
		}
		g.mu.Unlock()
		if !running {
			return g.fly(ctx, key, f, a)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-f.landed:
		}
		if !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) {
			return f.id, f.err
		}
		// The client that made the attempt has disconnected: try again.
	}
}

func (g *gate) fly(ctx context.Context, key flightKey, f *flight, a *attempt) (*Identity, error) {
	defer func() {
		g.mu.Lock()
		delete(g.flights, key)
		g.mu.Unlock()
		close(f.landed)
	}()
	f.id, f.err = g.try(ctx, a)
	return f.id, f.err
}

// turns returns the turns of an attempt at a name that may exist.
func (g *gate) turns(a *attempt) *turns {
	switch {
	case a.standing == Remote && a.familiar:
		return g.familiarRemote
	case a.standing == Remote:
		return g.listedRemote
	case a.familiar:
		return g.familiar
	}
	return g.listed
}

// try makes the attempt when its turn comes, first in the line of its origin, then among
// all attempts of its kind.
func (g *gate) try(ctx context.Context, a *attempt) (*Identity, error) {
	if a.familiar {
		id, _, err := verifyInTurn(ctx, g.turns(a), a)
		return id, err
	}
	line, err := g.delays.enter(ctx, a.from)
	if err != nil {
		return nil, err
	}
	defer g.delays.leave(a.from, line)
	begin := time.Now()
	id, err := g.tryInLine(ctx, line, a)
	if errors.Is(err, ErrWrong) {
		err = cmp.Or(pause(ctx, max(0, time.Until(begin.Add(a.least)))), err)
	}
	return id, err
}

func (g *gate) tryInLine(ctx context.Context, line *line, a *attempt) (id *Identity, err error) {
	refusal := g.refusals.join(digest{})
	defer g.refusals.leave(refusal)
	latest := time.Now().Add(longestLine)
	var took time.Duration
	if a.standing != Unknown {
		if id, took, err = verifyInTurn(ctx, g.turns(a), a); !errors.Is(err, ErrWrong) {
			return id, err
		}
	}
	g.delays.fail(line)
	return nil, refuse(ctx, a, refusal, latest, took)
}

// verifyInTurn verifies a's password. If that is wrong, it also returns how long the
// verification took.
func verifyInTurn(ctx context.Context, of *turns, a *attempt) (id *Identity, took time.Duration, err error) {
	x := of.join(a.from.name)
	defer of.leave(x)
	if err := x.wait(ctx); err != nil {
		return nil, 0, err
	}
	id, err = a.verify(ctx)
	return id, time.Since(x.at), err
}

// refuse returns ErrWrong after the time that it takes to refuse an unknown name: it waits
// for the turn and then as long as a hash takes. If the name is really unknown, it computes
// that hash. It returns at latest at the latest.
func refuse(ctx context.Context, a *attempt, refusal *turn, latest time.Time, took time.Duration) error {
	patient, stop := context.WithDeadline(ctx, latest)
	defer stop()
	switch err := refusal.wait(patient); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return ErrWrong
	case a.standing == Known:
		err = pause(ctx, time.Until(refusal.at.Add(took)))
		return cmp.Or(err, ErrWrong)
	case a.standing == Remote:
		return ErrWrong // a slow server must not hold up other refusals; see attempt.least
	}
	_, _ = a.verify(ctx) // it can't succeed
	return ErrWrong
}
