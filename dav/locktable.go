package dav

import (
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
)

// lockTable is the Handler's lock system with a uniform interface.
type lockTable struct {
	plain   tenant.PlainLocks
	manager tenant.LockManager // nil if the LockSystem is not a lock.Manager
	// mu hides the temporary locks of one request's probe from other requests.
	mu *sync.Mutex
}

// locks returns the table of LockSystem, of the locks of State, or of locks in memory.
func (h *Handler) locks() *lockTable {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lockTable == nil {
		system := h.lockSystem()
		if system == nil {
			system = newMemLocks()
		}
		h.lockTable = &lockTable{plain: tenant.NewPlainLocks(system, h.Tenant != nil), mu: &h.shared().probing}
		if manager, ok := system.(lock.Manager); ok && h.Tenant != nil {
			h.lockTable.manager = tenant.NewManager(manager)
		} else if ok {
			h.lockTable.manager = manager
		}
	}
	return h.lockTable
}

// lockSystem returns LockSystem or the locks of State, or nil without either.
func (h *Handler) lockSystem() webdav.LockSystem {
	if h.LockSystem == nil && h.State != nil {
		return h.State.Locks()
	}
	return h.LockSystem
}

// newMemLocks returns a lock.System without a Store, which can't fail.
func newMemLocks() webdav.LockSystem {
	system, err := lock.New(context.Background(), lock.Options{})
	if err != nil {
		panic(err)
	}
	return system
}

// covers reports whether the lock of token protects name.
func (l *lockTable) covers(ctx context.Context, token, name string) (bool, error) {
	if l.manager == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		return confirms(time.Now(), l.plain.In(ctx), webdav.Condition{Token: token}, name), nil
	}
	_, err := l.find(ctx, name, token)
	if errors.Is(err, webdav.ErrNoSuchLock) {
		return false, nil
	}
	return err == nil, err
}

// acquire creates the lock wanted.
func (l *lockTable) acquire(ctx context.Context, wanted lock.Lock) (lock.Lock, error) {
	if l.manager != nil {
		return l.manager.Acquire(ctx, time.Now(), wanted)
	}
	if wanted.Shared {
		return wanted, &status.Error{Status: http.StatusNotImplemented, Reason: "this server does not support shared locks"}
	}
	if err := lock.CheckOwner(wanted.OwnerXML); err != nil {
		return wanted, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	token, err := l.plain.In(ctx).Create(now, webdav.LockDetails{
		Root: wanted.Root, Duration: wanted.Duration, OwnerXML: wanted.OwnerXML, ZeroDepth: wanted.ZeroDepth,
	})
	wanted.Token, wanted.Expires = token, now.Add(wanted.Duration)
	return wanted, err
}

// renew restarts the timeout of the principal's lock if that covers name. Otherwise it
// returns webdav.ErrNoSuchLock.
func (l *lockTable) renew(ctx context.Context, name, token, principal string, timeout time.Duration) (lock.Lock, error) {
	now := time.Now()
	if l.manager == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !confirms(now, l.plain.In(ctx), webdav.Condition{Token: token}, name) {
			return lock.Lock{}, webdav.ErrNoSuchLock
		}
		d, err := l.plain.In(ctx).Refresh(now, token, timeout)
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
func (l *lockTable) find(ctx context.Context, name, token string) (lock.Lock, error) {
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

// unlock removes the principal's lock, which must cover name (RFC 4918 §9.11.1).
func (l *lockTable) unlock(ctx context.Context, name, token, principal string) error {
	if l.manager == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !confirms(time.Now(), l.plain.In(ctx), webdav.Condition{Token: token}, name) {
			return errLockTokenMatches(http.StatusConflict)
		}
		return l.plain.In(ctx).Unlock(time.Now(), token)
	}
	found, err := l.find(ctx, name, token)
	switch {
	case errors.Is(err, webdav.ErrNoSuchLock):
		return errLockTokenMatches(http.StatusConflict)
	case err != nil:
		return err
	case found.Principal != principal:
		return errForeignLock
	}
	err = l.manager.Release(ctx, time.Now(), token)
	if errors.Is(err, webdav.ErrNoSuchLock) {
		return errLockTokenMatches(http.StatusConflict)
	}
	return err
}

// release removes a lock that has just been acquired.
func (l *lockTable) release(ctx context.Context, token string) error {
	if l.manager != nil {
		return l.manager.Release(ctx, time.Now(), token)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.plain.In(ctx).Unlock(time.Now(), token)
}

// releaseTree removes the locks whose root is in the tree name. A plain LockSystem
// can't list them, so only the used ones are removed there.
func (l *lockTable) releaseTree(ctx context.Context, name string, used []usedToken) error {
	now := time.Now()
	if l.manager != nil {
		return l.manager.ReleaseTree(context.WithoutCancel(ctx), now, name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range used {
		isRoot := !confirms(now, l.plain.In(ctx), u.token, path.Dir(u.name))
		if isRoot && storage.Contains(name, u.name) {
			_ = l.plain.In(ctx).Unlock(now, u.token.Token) // fails only if it has expired
		}
	}
	return nil
}

// rooted returns the locks whose root is in the tree name. It returns none for a plain
// LockSystem, which can't list them.
func (l *lockTable) rooted(ctx context.Context, name string) ([]lock.Lock, error) {
	if l.manager == nil {
		return nil, nil
	}
	found, err := l.manager.Find(ctx, time.Now(), name, true)
	return slices.DeleteFunc(found, func(each lock.Lock) bool { return !storage.Contains(name, each.Root) }), err
}

// releaseRooted removes the locks whose root is in the tree name and for whose root
// over returns true.
func (l *lockTable) releaseRooted(ctx context.Context, name string, over func(root string) bool) error {
	found, err := l.rooted(ctx, name)
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
