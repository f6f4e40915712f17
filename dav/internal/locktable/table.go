// Package locktable gives every LockSystem the same interface: a lock.Manager, which can
// list its locks, and any other, which can only be probed. It checks the locks that protect
// what a request would change (RFC 4918 §7).
package locktable

import (
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
)

// Table is the Handler's LockSystem with a uniform interface.
type Table struct {
	system  webdav.LockSystem
	tenants bool               // requests belong to tenants
	manager tenant.LockManager // nil if the LockSystem is not a lock.Manager
	// mu hides the temporary locks of one request's probe from other requests.
	mu *sync.Mutex
	// names resolves names, and href returns the URL path of the root of a lock, or "" if the
	// principal may not see that.
	names place.Resolver
	href  func(ctx context.Context, name string) string
}

// New returns a table of system; if that is nil, of a new one in memory. tenants
// says that requests belong to tenants. mu hides the probes of a plain LockSystem.
func New(system webdav.LockSystem, tenants bool, mu *sync.Mutex, names place.Resolver, href func(context.Context, string) string) *Table {
	if system == nil {
		system = newMemLocks()
	}
	table := &Table{system: system, tenants: tenants, mu: mu, names: names, href: href}
	if manager, ok := system.(lock.Manager); ok && tenants {
		table.manager = &tenant.Manager{LockManager: manager}
	} else if ok {
		table.manager = manager
	}
	return table
}

// plain returns the LockSystem as the tenant of ctx sees it.
func (l *Table) plain(ctx context.Context) webdav.LockSystem {
	if !l.tenants {
		return l.system
	}
	return tenant.PlainLocks(ctx, l.system)
}

// Plain reports whether the LockSystem is not a lock.Manager. Then it has no shared
// locks, and can't list its locks.
func (l *Table) Plain() bool { return l.manager == nil }

// Manager returns the lock.Manager, or nil.
func (l *Table) Manager() tenant.LockManager { return l.manager }

// newMemLocks returns a lock.System without a Store, which can't fail.
func newMemLocks() webdav.LockSystem {
	system, err := lock.New(context.Background(), lock.Options{})
	if err != nil {
		panic(err)
	}
	return system
}

// Covers reports whether the lock of token protects name.
func (l *Table) Covers(ctx context.Context, token, name string) (bool, error) {
	if l.manager == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		return confirms(time.Now(), l.plain(ctx), webdav.Condition{Token: token}, name), nil
	}
	_, err := l.find(ctx, name, token)
	if errors.Is(err, webdav.ErrNoSuchLock) {
		return false, nil
	}
	return err == nil, err
}

// Grantable returns an error if other locks are in the way of the lock wanted. It needs a
// lock.Manager.
func (l *Table) Grantable(ctx context.Context, wanted lock.Lock) error {
	if l.manager == nil {
		return nil
	}
	found, err := l.manager.Find(ctx, time.Now(), wanted.Root, !wanted.ZeroDepth)
	if err != nil {
		return err
	}
	if wanted.Shared {
		found = slices.DeleteFunc(found, func(l lock.Lock) bool { return l.Shared })
	}
	if len(found) == 0 {
		return nil
	}
	return &lock.ConflictError{Locks: found}
}

// Acquire creates the lock wanted.
func (l *Table) Acquire(ctx context.Context, wanted lock.Lock) (lock.Lock, error) {
	if l.manager != nil {
		return l.manager.Acquire(ctx, time.Now(), wanted)
	}
	if wanted.Shared {
		return wanted, status.New(http.StatusNotImplemented, "this server does not support shared locks")
	}
	if err := lock.CheckOwner(wanted.OwnerXML); err != nil {
		return wanted, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	token, err := l.plain(ctx).Create(now, webdav.LockDetails{
		Root: wanted.Root, Duration: wanted.Duration, OwnerXML: wanted.OwnerXML, ZeroDepth: wanted.ZeroDepth,
	})
	wanted.Token, wanted.Expires = token, now.Add(wanted.Duration)
	return wanted, err
}

// Renew restarts the timeout of the principal's lock if that covers name. Otherwise it
// returns webdav.ErrNoSuchLock.
func (l *Table) Renew(ctx context.Context, name, token, principal string, timeout time.Duration) (lock.Lock, error) {
	now := time.Now()
	if l.manager == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !confirms(now, l.plain(ctx), webdav.Condition{Token: token}, name) {
			return lock.Lock{}, webdav.ErrNoSuchLock
		}
		d, err := l.plain(ctx).Refresh(now, token, timeout)
		return lock.Lock{
			Token: token, Root: d.Root, ZeroDepth: d.ZeroDepth, OwnerXML: d.OwnerXML,
			Duration: d.Duration, Expires: now.Add(d.Duration),
		}, err
	}
	found, err := l.find(ctx, name, token)
	switch {
	case err != nil:
		return found, err
	case found.Principal != principal:
		return found, errForeignLock
	}
	return l.manager.Renew(ctx, now, token, timeout)
}

// find returns the lock of token if it covers name, and webdav.ErrNoSuchLock otherwise.
// It needs a manager.
func (l *Table) find(ctx context.Context, name, token string) (lock.Lock, error) {
	found, err := l.manager.Find(ctx, time.Now(), name, false)
	if err != nil {
		return lock.Lock{}, err
	}
	for _, each := range found {
		if each.Token == token {
			return each, nil
		}
	}
	return lock.Lock{}, webdav.ErrNoSuchLock
}

// Unlock removes the principal's lock, which must cover name (RFC 4918 §9.11.1).
func (l *Table) Unlock(ctx context.Context, name, token, principal string) error {
	if l.manager == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !confirms(time.Now(), l.plain(ctx), webdav.Condition{Token: token}, name) {
			return ErrTokenMatches(http.StatusConflict)
		}
		return l.plain(ctx).Unlock(time.Now(), token)
	}
	found, err := l.find(ctx, name, token)
	switch {
	case errors.Is(err, webdav.ErrNoSuchLock):
		return ErrTokenMatches(http.StatusConflict)
	case err != nil:
		return err
	case found.Principal != principal:
		return errForeignLock
	}
	err = l.manager.Release(ctx, time.Now(), token)
	if errors.Is(err, webdav.ErrNoSuchLock) {
		return ErrTokenMatches(http.StatusConflict)
	}
	return err
}

// Release removes a lock that has just been acquired.
func (l *Table) Release(ctx context.Context, token string) error {
	if l.manager != nil {
		return l.manager.Release(ctx, time.Now(), token)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.plain(ctx).Unlock(time.Now(), token)
}

// ReleaseTree removes the locks whose root is in the tree name. A plain LockSystem
// can't list them, so only the used ones are removed there.
func (l *Table) ReleaseTree(ctx context.Context, name string, used []Used) error {
	now := time.Now()
	if l.manager != nil {
		return l.manager.ReleaseTree(context.WithoutCancel(ctx), now, name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range used {
		isRoot := !confirms(now, l.plain(ctx), u.token, path.Dir(u.name))
		if isRoot && storage.Contains(name, u.name) {
			_ = l.plain(ctx).Unlock(now, u.token.Token) // fails only if it has expired
		}
	}
	return nil
}

// Rooted returns the locks whose root is in the tree name. It returns none for a plain
// LockSystem, which can't list them.
func (l *Table) Rooted(ctx context.Context, name string) ([]lock.Lock, error) {
	if l.manager == nil {
		return nil, nil
	}
	found, err := l.manager.Find(ctx, time.Now(), name, true)
	return slices.DeleteFunc(found, func(each lock.Lock) bool { return !storage.Contains(name, each.Root) }), err
}

// ReleaseRooted removes the locks whose root is in the tree name and for whose root
// over returns true.
func (l *Table) ReleaseRooted(ctx context.Context, name string, over func(root string) bool) error {
	found, err := l.Rooted(ctx, name)
	for _, each := range found {
		if !over(each.Root) {
			continue
		}
		releaseErr := l.manager.Release(ctx, time.Now(), each.Token)
		if !errors.Is(releaseErr, webdav.ErrNoSuchLock) {
			err = errors.Join(err, releaseErr)
		}
	}
	return err
}
