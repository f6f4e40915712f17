package auth

import (
	"context"
	"errors"
	"log/slog"

	"github.com/davd/davd/storage/tokens"
)

// Tokens is a [Verifier] that also accepts the application passwords of the users of another
// one. They end with the user. Only users that the other one can find have them, see
// [Finder].
type Tokens struct {
	Verifier Verifier
	Keyring  *tokens.Keyring
	// Log gets a message if the use of a token can't be recorded. It may be nil.
	Log *slog.Logger
}

// tokenLogin is the Stamp of an Identity that has logged in with a token.
type tokenLogin struct {
	token tokens.Token
	user  *Identity // as the other Verifier has found it
}

// Verify implements [Verifier].
func (t *Tokens) Verify(ctx context.Context, name, password string) (*Identity, error) {
	if token, ok := t.Keyring.Find(name, password); ok {
		user, err := Find(ctx, t.Verifier, name)
		if err == nil {
			t.record(ctx, &token)
			return &Identity{
				Name: user.Name, Groups: user.Groups, ReadOnly: user.ReadOnly || token.ReadOnly,
				Stamp: &tokenLogin{token, user},
			}, nil
		}
		if !errors.Is(err, ErrWrong) {
			return nil, err
		}
	}
	return t.Verifier.Verify(ctx, name, password)
}

func (t *Tokens) record(ctx context.Context, token *tokens.Token) {
	if err := t.Keyring.Use(ctx, token); err != nil && t.Log != nil {
		t.Log.WarnContext(ctx, "can't record the use of an application password", "user", token.User, "name", token.Name, "err", err)
	}
}

// Valid implements [Verifier].
func (t *Tokens) Valid(id *Identity) bool {
	if login, ok := id.Stamp.(*tokenLogin); ok {
		return t.Keyring.Valid(&login.token) && t.Verifier.Valid(login.user)
	}
	return t.Verifier.Valid(id)
}

// Probe implements [Prober].
func (t *Tokens) Probe(name string) Standing { return Probe(t.Verifier, name) }

// Find implements [Finder].
func (t *Tokens) Find(ctx context.Context, name string) (*Identity, error) {
	return Find(ctx, t.Verifier, name)
}
