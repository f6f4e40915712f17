package lock

import "context"

// Store keeps locks across restarts for a [System]. While the System uses a Store,
// nothing else may change its locks. A change is durable when the method returns. Some of the
// locks may have expired.
type Store interface {
	// LoadLocks returns all locks, in the order of their creation.
	LoadLocks(ctx context.Context) ([]Lock, error)
	// SaveLock adds the lock, or replaces the one with the same Token.
	SaveLock(ctx context.Context, l Lock) error
	// DeleteLocks removes the locks with those tokens, either all or none. It is no
	// error if one does not exist.
	DeleteLocks(ctx context.Context, tokens ...string) error
}
