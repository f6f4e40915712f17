package auth

import (
	"context"
	"errors"
	"testing"
)

// TestChainValidAfterChange checks that a chain asks the Verifier of a user whether the account is
// still the same: a removed user and one with another password have to log in again.
func TestChainValidAfterChange(t *testing.T) {
	users, _ := counted("1", "ann", "bob")
	c := NewChain(users)
	ann, err1 := c.Verify(t.Context(), "ann", "1")
	bob, err2 := c.Find(t.Context(), "bob")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	users.Set(map[string]Account{"ann": {Account: account("hash of 2", &slow{password: "2"})}})
	if c.Valid(ann) || c.Valid(bob) {
		t.Errorf("valid: ann with another password %v, bob without an account %v", c.Valid(ann), c.Valid(bob))
	}
}

// reader is a Verifier with one user, who may only read.
type reader struct{ unavailable error }

func (r *reader) Verify(_ context.Context, name, _ string) (*Identity, error) {
	switch {
	case r.unavailable != nil:
		return nil, r.unavailable
	case name != "ann":
		return nil, ErrUnknown
	}
	return &Identity{Name: "ann", ReadOnly: true}, nil
}

func (*reader) Valid(*Identity) bool { return true }

func (*reader) Probe(name string) Standing {
	if name == "ann" {
		return Known
	}
	return Unknown
}

// TestChainReadOnly checks that a login that may only read still may only read behind a chain.
func TestChainReadOnly(t *testing.T) {
	id, err := NewChain(&reader{}).Verify(t.Context(), "ann", "x")
	if err != nil || !id.ReadOnly {
		t.Errorf("got %+v, error %v", id, err)
	}
}

// TestChainStrangerUnavailable checks that an unknown name is not refused as wrong if the Verifier
// that computes its hash is not available.
func TestChainStrangerUnavailable(t *testing.T) {
	down := errors.New("down")
	if _, err := NewChain(&reader{down}).Verify(t.Context(), "nobody", "x"); !errors.Is(err, down) {
		t.Errorf("error %v", err)
	}
}
