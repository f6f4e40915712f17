package auth

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
)

// Chain is a [Verifier] made of several. The first one that knows a name decides.
type Chain struct {
	verifiers atomic.Pointer[[]Verifier]
	digests   digester
}

// NewChain returns a Chain of verifiers.
func NewChain(verifiers ...Verifier) *Chain {
	c := new(Chain)
	c.Set(verifiers...)
	return c
}

// Set replaces the verifiers. Users of those that stay are still logged in.
func (c *Chain) Set(verifiers ...Verifier) { c.verifiers.Store(&verifiers) }

func (c *Chain) all() []Verifier {
	if all := c.verifiers.Load(); all != nil {
		return *all
	}
	return nil
}

// link is the Stamp of an Identity of a Chain.
type link struct {
	of   Verifier
	id   *Identity // the one that of has returned
	name string    // as sent by the client
}

// linked returns the Identity of the chain for one of a verifier.
func linked(of Verifier, name string, id *Identity, err error) (*Identity, error) {
	if err != nil {
		return nil, err
	}
	return &Identity{Name: id.Name, Groups: id.Groups, ReadOnly: id.ReadOnly, Stamp: &link{of, id, name}}, nil
}

// Verify implements [Verifier].
func (c *Chain) Verify(ctx context.Context, name, password string) (*Identity, error) {
	var strangers []Verifier // they compute a hash for an unknown user
	for _, v := range c.all() {
		if Probe(v, name) == Unknown {
			strangers = append(strangers, v)
			continue
		}
		id, err := v.Verify(ctx, name, password)
		if !errors.Is(err, ErrUnknown) {
			return linked(v, name, id, err)
		}
	}
	if len(strangers) > 0 {
		d := c.digests.of(name)
		stranger := strangers[binary.BigEndian.Uint64(d[:])%uint64(len(strangers))]
		if _, err := stranger.Verify(ctx, name, password); !errors.Is(err, ErrWrong) && err != nil {
			return nil, err
		}
	}
	return nil, ErrUnknown
}

// Valid implements [Verifier]. A user is no longer valid when a Verifier that comes earlier
// gets a user of the same name.
func (c *Chain) Valid(id *Identity) bool {
	l, ok := id.Stamp.(*link)
	if !ok {
		return false
	}
	for _, v := range c.all() {
		if v == l.of {
			return v.Valid(l.id)
		}
		if Probe(v, l.name) == Known {
			return false
		}
	}
	return false
}

// Probe implements [Prober].
func (c *Chain) Probe(name string) Standing {
	for _, v := range c.all() {
		if standing := Probe(v, name); standing != Unknown {
			return standing
		}
	}
	return Unknown
}

// Find implements [Finder].
func (c *Chain) Find(ctx context.Context, name string) (*Identity, error) {
	for _, v := range c.all() {
		id, err := Find(ctx, v, name)
		if !errors.Is(err, ErrUnknown) {
			return linked(v, name, id, err)
		}
	}
	return nil, ErrUnknown
}
