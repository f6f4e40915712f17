package auth

import (
	"context"
	"errors"
	"fmt"
)

// Identity describes a user who has logged in. It must not be changed.
type Identity struct {
	// Name is the principal. It may differ from the name that the client has sent, for
	// example in case, if the Verifier accepts several spellings.
	Name string
	// Groups are the names of the user's groups.
	Groups []string
	// ReadOnly says that this login may not change anything.
	ReadOnly bool
	// Stamp belongs to the Verifier. It usually identifies the state of the account at the
	// login, so that Valid can compare it with the present state.
	Stamp any
}

// Verifier checks passwords. Implementations are pointers, because a [Chain] compares them.
// All methods are safe for concurrent use.
//
// A Verifier that also has the methods of [Prober] or [Finder] can do more. The package has
// three: [Users], [File] and [Chain].
type Verifier interface {
	// Verify returns the user with this name and password. If the password is wrong, the
	// error matches [ErrWrong]; if the Verifier has no user of this name, it matches
	// [ErrUnknown]. The second should take as long as the first. Any other error means that
	// the password could not be checked, and the client gets a 503 (Service Unavailable).
	//
	// A [Handler] limits how many calls run at a time, and remembers the result.
	Verify(ctx context.Context, name, password string) (*Identity, error)
	// Valid reports whether the user still exists with the same password. id is a result of
	// Verify. A Handler calls Valid for each request, so it must be fast.
	Valid(id *Identity) bool
}

// Standing is what a [Verifier] knows about a name without asking another server.
type Standing int

const (
	// Remote means that another server knows, such as a directory.
	Remote Standing = iota
	// Known means that the user exists. Verify computes a hash.
	Known
	// Unknown means that no user has this name. Verify computes a hash, so that the time
	// of a refusal does not reveal which names exist.
	Unknown
)

// Prober is a [Verifier] that can say at once what it knows about a name. Then guesses at
// passwords of unknown names don't delay the login of users.
type Prober interface {
	Verifier
	Probe(name string) Standing
}

// Probe returns what v knows about a name. It is Remote if v is no [Prober].
func Probe(v Verifier, name string) Standing {
	if p, ok := v.(Prober); ok {
		return p.Probe(name)
	}
	return Remote
}

// Finder is a [Verifier] that can find a user without a password. Only its users can have
// application passwords, because these must end when the user is removed.
type Finder interface {
	Verifier
	// Find returns the user of this name, or an error that matches [ErrUnknown].
	Find(ctx context.Context, name string) (*Identity, error)
}

// Find returns the user of this name. If v is no [Finder], the error matches [ErrUnknown].
func Find(ctx context.Context, v Verifier, name string) (*Identity, error) {
	if f, ok := v.(Finder); ok {
		return f.Find(ctx, name)
	}
	return nil, ErrUnknown
}

var (
	// ErrWrong means that a login is refused.
	ErrWrong = errors.New("the user name or the password is wrong")
	// ErrUnknown means that no user has a name. It matches [ErrWrong] and has the same
	// text, because clients must not learn which names exist.
	ErrUnknown = fmt.Errorf("%w", ErrWrong)
)

// LoginError is a refused login.
type LoginError struct {
	// Name is the name that the client has sent. It can contain any bytes.
	Name string
	// Err matches ErrWrong if the name or the password was wrong. Otherwise the client
	// has to wait because of earlier failures.
	Err error
}

func (e *LoginError) Error() string { return e.Err.Error() }

func (e *LoginError) Unwrap() error { return e.Err }
