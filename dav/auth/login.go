package auth

import (
	"context"
	"errors"
	"time"

	"github.com/davd/davd/dav/auth/passfile"
)

// maxPassword limits the length of a password, in bytes.
const maxPassword = 1024

// logins logs users in and remembers them.
type logins struct {
	gate    *gate
	memory  memory
	digests digester // with a key of this process
}

func newLogins() *logins { return &logins{gate: newGate()} }

// maxChanges is how often an account may change during a login.
const maxChanges = 3

// logIn returns the user if the password is right. Otherwise the error matches ErrWrong, or
// it is a tooManyError if the client has to wait, or the error of ctx or of v.
func (l *logins) logIn(ctx context.Context, v Verifier, name, password, remote string) (*Identity, error) {
	for range maxChanges {
		id, err := l.attempt(ctx, v, name, password, remote)
		if err != nil {
			return nil, err
		}
		if v.Valid(id) {
			return id, nil
		}
		// The account has changed meanwhile, perhaps to another hash of the same password.
	}
	return nil, ErrWrong
}

// attempt is one attempt of logIn.
func (l *logins) attempt(ctx context.Context, v Verifier, name, password, remote string) (*Identity, error) {
	d := l.digests.of(name, password)
	seen, familiar := l.memory.recall(v, d)
	if familiar && time.Now().Before(seen.until) {
		return seen.id, nil
	}
	a := &attempt{
		from: originOf(remote, l.digests.of(name)), digest: d,
		familiar: familiar, standing: Probe(v, name), least: leastRefusal(v),
		verify: func(ctx context.Context) (*Identity, error) { return l.verify(ctx, v, d, name, password) },
	}
	if !validName(name) {
		a.standing = Unknown
	}
	id, err := l.gate.admit(ctx, a)
	if errors.Is(err, ErrWrong) {
		l.memory.forget(d) // if it was familiar
		return nil, ErrWrong
	}
	return id, err
}

// verify makes v verify a password, and remembers the result.
func (l *logins) verify(ctx context.Context, v Verifier, d digest, name, password string) (*Identity, error) {
	// Another request may just have verified the same password.
	if seen, ok := l.memory.recall(v, d); ok && time.Now().Before(seen.until) {
		return seen.id, nil
	}
	possible := validName(name) && len(password) <= maxPassword
	if !validName(name) {
		name = ""
	}
	id, err := v.Verify(ctx, name, password[:min(len(password), maxPassword)])
	switch {
	case err != nil:
		return nil, err
	case !possible || id == nil:
		return nil, ErrWrong
	}
	l.memory.store(d, verification{id, time.Now().Add(rememberFor)})
	return id, nil
}

// remoteRefusal is the least time that a refusal takes if a server must be asked about some
// names. The time that it needs would reveal which names it knows.
const remoteRefusal = 500 * time.Millisecond

func leastRefusal(v Verifier) time.Duration {
	if Probe(v, "") == Remote {
		return remoteRefusal
	}
	return 0
}

// validName reports whether a user can have this name (RFC 7617 §2).
func validName(name string) bool { return passfile.CheckName(name) == nil }
