// Package tokens keeps application passwords. A user has one for each device or program, and
// can revoke it alone. It is random, shown once, and kept only as a hash.
package tokens

import (
	"context"
	"crypto/sha256"
	"time"
)

// Token describes an application password.
type Token struct {
	// User is the user whose password it is, and Name distinguishes it from the user's
	// others.
	User, Name string
	// Hash is the SHA-256 of the password. That is enough, because the password has 128
	// random bits.
	Hash [sha256.Size]byte
	// ReadOnly says that the password does not allow to change anything.
	ReadOnly bool
	// Created is when it was made, Expires when it ends, and Used when it was last used.
	// Expires and Used may be zero. All are kept to the microsecond.
	Created, Expires, Used time.Time
}

// Expired reports whether t has ended at the time now.
func (t *Token) Expired(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// Store keeps tokens. If it keeps them on disk, a change is durable when the method returns.
// All methods are safe for concurrent use.
type Store interface {
	// AllTokens returns all tokens, ordered by User and then by Name, in byte order.
	AllTokens(ctx context.Context) ([]Token, error)
	// AddToken adds a token. If its User has another one of this Name, the error matches
	// fs.ErrExist.
	AddToken(ctx context.Context, t Token) error
	// DeleteToken removes a token. If it does not exist, the error matches
	// fs.ErrNotExist.
	DeleteToken(ctx context.Context, user, name string) error
	// UseToken records when a token was used. It is no error if that does not exist.
	UseToken(ctx context.Context, user, name string, at time.Time) error
}
