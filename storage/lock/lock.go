// Package lock keeps WebDAV write locks (RFC 4918 §6, §7).
//
// A [Lock] is exclusive or shared, and protects one resource or, with infinite
// depth, a whole tree. A [Manager] grants, renews, finds and ends locks; [System]
// is the one that davd comes with: in memory, and through a [Store] also across
// restarts. A Manager is a webdav.LockSystem too, so that it goes wherever x/net
// takes one.
//
// A Manager knows nothing of principals' rights, of requests, or of what is in
// use by one: that is the handler's business.
package lock

import (
	"context"
	"errors"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// Infinite is the Duration of a lock that does not expire.
const Infinite time.Duration = -1

// Lock is a write lock.
type Lock struct {
	// Token is the lock token: an absolute URI (RFC 4918 §6.5).
	Token string
	// Root is the storage name of the lock root.
	Root string
	// ZeroDepth: it protects Root alone, not what is below it.
	ZeroDepth bool
	// Shared: others may have shared locks on the same resource.
	Shared bool
	// OwnerXML is the content of the DAV:owner element, as the client wrote it.
	OwnerXML string
	// Principal is who created it, "" where nobody is known by name.
	Principal string
	// Created is when it was granted, to the microsecond; zero where that is not known.
	Created time.Time
	// Client, if not "", is whose lock it is for ClientMax: an address, say, where
	// nobody is known by name. Acquire returns ErrLimit when Client has as many locks
	// as that; 0 is any number. A Store keeps neither, so that the count begins anew with
	// the process.
	Client    string
	ClientMax int
	// Duration is the timeout granted, or [Infinite].
	Duration time.Duration
	// Expires is when it ends, to the microsecond; zero when Duration is Infinite.
	Expires time.Time
}

// Covers reports whether the lock protects name, directly or from above (RFC
// 4918 §7.4).
func (l Lock) Covers(name string) bool {
	return l.Root == name || !l.ZeroDepth && storage.Contains(l.Root, name)
}

// Manager is a LockSystem that can do all of RFC 4918. Names are clean storage
// names. Expired locks are as if not there. All methods are safe for concurrent
// use, and what one has done is there after a restart if the Manager keeps locks
// at all. now is given so that expiry can be tested.
type Manager interface {
	webdav.LockSystem

	// Acquire grants what wanted describes: its Root, ZeroDepth, Shared,
	// OwnerXML, Principal, Client, ClientMax and Duration. It returns the lock, Created
	// now and with an unguessable Token, or a [*ConflictError], [ErrLimit] or an
	// [*OwnerError].
	Acquire(ctx context.Context, now time.Time, wanted Lock) (Lock, error)

	// Renew starts the timeout of the lock anew (RFC 4918 §9.10.2). It returns
	// webdav.ErrNoSuchLock when there is no such lock (any more).
	Renew(ctx context.Context, now time.Time, token string, duration time.Duration) (Lock, error)

	// Release ends the lock, or returns webdav.ErrNoSuchLock.
	Release(ctx context.Context, now time.Time, token string) error

	// ReleaseTree ends all locks whose root is name or below it.
	ReleaseTree(ctx context.Context, now time.Time, name string) error

	// Find returns the locks that cover name, in the order of their roots and
	// for one root in that of their creation. With tree it also returns those
	// whose root is below name.
	Find(ctx context.Context, now time.Time, name string, tree bool) ([]Lock, error)
}

// ErrLimit is returned when a principal, or a client, has as many locks as it may.
var ErrLimit = errors.New("too many locks")

// ConflictError says which locks are in the way of a new one. It matches
// webdav.ErrLocked.
type ConflictError struct {
	Locks []Lock // at least one
}

func (e *ConflictError) Error() string {
	return "locked at " + e.Locks[0].Root
}

// Is reports whether target is webdav.ErrLocked.
func (e *ConflictError) Is(target error) bool { return target == webdav.ErrLocked }
