// Package lock keeps WebDAV write locks (RFC 4918 §6, §7).
//
// A [Lock] is exclusive or shared. It protects one resource or, with infinite depth, a
// whole tree. A [Manager] grants, renews, finds and ends locks. davd's Manager is
// [System], which keeps locks in memory and, with a [Store], also across restarts. Each
// Manager is a webdav.LockSystem too, so it works wherever x/net takes one.
//
// A Manager knows nothing about the rights of principals, about requests, or about
// which resources a request is using. Those are the business of the handler.
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
	// ZeroDepth reports that the lock protects only Root, not what is below it.
	ZeroDepth bool
	// Shared reports that others may have shared locks on the same resource.
	Shared bool
	// OwnerXML is the content of the DAV:owner element, as the client wrote it.
	OwnerXML string
	// Principal is who created it; "" if the client has no name.
	Principal string
	// Created is when it was granted, to the microsecond; zero if that is unknown.
	Created time.Time
	// Client, if not "", identifies the client for ClientMax: for example the address
	// of a client without a name. Acquire returns ErrLimit if Client already has
	// ClientMax locks; 0 means no limit. A Store keeps neither, so the count starts
	// again at 0 when the process restarts.
	Client    string
	ClientMax int
	// Duration is the granted timeout, or [Infinite].
	Duration time.Duration
	// Expires is when the lock ends, to the microsecond; zero if Duration is Infinite.
	Expires time.Time
}

// Covers reports whether the lock protects name, either directly or as a lock on a
// collection above it (RFC 4918 §7.4).
func (l Lock) Covers(name string) bool {
	return l.Root == name || !l.ZeroDepth && storage.Contains(l.Root, name)
}

// Manager is a webdav.LockSystem that can do everything in RFC 4918. Names are clean
// storage names. A Manager treats expired locks as if they did not exist. If it keeps
// locks across restarts, each change is durable when the method returns. All methods
// are safe for concurrent use. They take the current time as now, so that tests can
// make locks expire.
type Manager interface {
	webdav.LockSystem

	// Acquire grants the lock that wanted describes by its Root, ZeroDepth, Shared,
	// OwnerXML, Principal, Client, ClientMax and Duration. It returns the lock with
	// Created set to now and an unguessable Token, or a [*ConflictError], [ErrLimit] or
	// an [*OwnerError].
	Acquire(ctx context.Context, now time.Time, wanted Lock) (Lock, error)

	// Renew restarts the timeout of the lock (RFC 4918 §9.10.2). It returns
	// webdav.ErrNoSuchLock if the lock does not exist or has ended.
	Renew(ctx context.Context, now time.Time, token string, duration time.Duration) (Lock, error)

	// Release ends the lock, or returns webdav.ErrNoSuchLock.
	Release(ctx context.Context, now time.Time, token string) error

	// ReleaseTree ends all locks whose root is name or below it.
	ReleaseTree(ctx context.Context, now time.Time, name string) error

	// Find returns the locks that cover name, sorted by root and then by creation. With
	// tree it also returns the locks whose root is below name.
	Find(ctx context.Context, now time.Time, name string, tree bool) ([]Lock, error)
}

// ErrLimit says that a principal or a client has as many locks as it may have.
var ErrLimit = errors.New("too many locks")

// ConflictError says which locks conflict with a new one. It matches webdav.ErrLocked.
type ConflictError struct {
	Locks []Lock // at least one
}

func (e *ConflictError) Error() string {
	return "locked at " + e.Locks[0].Root
}

// Is reports whether target is webdav.ErrLocked.
func (e *ConflictError) Is(target error) bool { return target == webdav.ErrLocked }
