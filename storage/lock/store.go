package lock

import "context"

// Store keeps locks across restarts for a [System], which is the only one that
// changes them while it is in use. What a method has done is durable when it
// returns. An expired lock may be in it.
type Store interface {
	// LoadLocks returns all locks, in the order of their creation.
	LoadLocks(ctx context.Context) ([]Lock, error)
	// SaveLock adds the lock, or replaces the one that has its Token.
	SaveLock(ctx context.Context, l Lock) error
	// DeleteLocks removes the locks that have those tokens, all or none. One
	// that is not there is no error.
	DeleteLocks(ctx context.Context, tokens ...string) error
}
