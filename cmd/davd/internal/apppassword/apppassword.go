// Package apppassword adds, lists and revokes application passwords for an operator.
package apppassword

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/davd/davd/cmd/davd/internal/control"
	"github.com/davd/davd/storage/tokens"
)

// The names of the commands.
const (
	addCommand    = "token-add"
	listCommand   = "tokens"
	revokeCommand = "token-revoke"
)

// Token describes an application password to an operator.
type Token struct {
	User     string `json:"user"`
	Name     string `json:"name"`
	ReadOnly bool   `json:"read_only"`
	// Created is when it was added. Expires is nil for one that does not expire, and Used
	// for one that was never used.
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires"`
	Used    *time.Time `json:"used"`
}

// Added is a new application password.
type Added struct {
	Token
	Password string `json:"password"`
}

// Add says which application password to add. Expires is zero for one that does not expire.
type Add struct {
	User     string    `json:"user"`
	Name     string    `json:"name"`
	ReadOnly bool      `json:"read_only"`
	Expires  time.Time `json:"expires"`
}

// Which names an application password. Without a Name, it is all of the User, and without a
// User all.
type Which struct {
	User string `json:"user"`
	Name string `json:"name"`
}

// Operator adds, lists and revokes application passwords.
type Operator interface {
	Add(ctx context.Context, a Add) (Added, error)
	List(ctx context.Context, w Which) ([]Token, error)
	Revoke(ctx context.Context, w Which) (Token, error)
}

// Manager is an Operator that works directly on a Keyring.
type Manager struct {
	Keyring *tokens.Keyring
	// Check, if not nil, returns an error for a user who can't have application passwords.
	Check func(user string) error
	// Log gets a line for each change.
	Log *slog.Logger
}

// Register adds the commands that a [Remote] sends, so that m executes them.
func (m *Manager) Register(c *control.Commands) {
	control.Add(c, addCommand, m.Add)
	control.Add(c, listCommand, m.List)
	control.Add(c, revokeCommand, m.Revoke)
}

// Add implements [Operator].
func (m *Manager) Add(ctx context.Context, a Add) (Added, error) {
	if m.Check != nil {
		if err := m.Check(a.User); err != nil {
			return Added{}, err
		}
	}
	password, t, err := m.Keyring.Add(ctx, tokens.Token{User: a.User, Name: a.Name, ReadOnly: a.ReadOnly, Expires: a.Expires})
	if err != nil {
		return Added{}, fmt.Errorf("can't add the application password: %w", err)
	}
	m.Log.InfoContext(ctx, "the operator has added an application password", "user", t.User, "name", t.Name)
	return Added{shown(&t), password}, nil
}

// List implements [Operator].
func (m *Manager) List(_ context.Context, w Which) ([]Token, error) {
	list := []Token{}
	for _, t := range m.Keyring.List(w.User) {
		if w.Name == "" || w.Name == t.Name {
			list = append(list, shown(&t))
		}
	}
	return list, nil
}

// Revoke implements [Operator].
func (m *Manager) Revoke(ctx context.Context, w Which) (Token, error) {
	t, err := m.Keyring.Revoke(ctx, w.User, w.Name)
	if err != nil {
		return Token{}, err
	}
	m.Log.InfoContext(ctx, "the operator has revoked an application password", "user", t.User, "name", t.Name)
	return shown(&t), nil
}

// Remote is an Operator that sends commands to a running davd.
type Remote struct{ Client *control.Client }

// Add implements [Operator].
func (r *Remote) Add(ctx context.Context, a Add) (added Added, err error) {
	err = r.Client.Call(ctx, addCommand, a, &added)
	return added, err
}

// List implements [Operator].
func (r *Remote) List(ctx context.Context, w Which) (list []Token, err error) {
	err = r.Client.Call(ctx, listCommand, w, &list)
	return list, err
}

// Revoke implements [Operator].
func (r *Remote) Revoke(ctx context.Context, w Which) (revoked Token, err error) {
	err = r.Client.Call(ctx, revokeCommand, w, &revoked)
	return revoked, err
}

func shown(t *tokens.Token) Token {
	return Token{User: t.User, Name: t.Name, ReadOnly: t.ReadOnly, Created: t.Created, Expires: known(t.Expires), Used: known(t.Used)}
}

// known returns nil for the zero Time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
