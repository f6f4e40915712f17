package tenant

import (
	"context"
	"errors"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
)

// LockManager has the methods of a lock.Manager that the Handler uses. They have a
// context, which names the tenant.
type LockManager interface {
	Acquire(ctx context.Context, now time.Time, wanted lock.Lock) (lock.Lock, error)
	Renew(ctx context.Context, now time.Time, token string, duration time.Duration) (lock.Lock, error)
	Release(ctx context.Context, now time.Time, token string) error
	ReleaseTree(ctx context.Context, now time.Time, name string) error
	Find(ctx context.Context, now time.Time, name string, tree bool) ([]lock.Lock, error)
}

// Manager keeps the locks of tenants apart in one lock.Manager. Its Release does not check the
// tenant, because the Handler has the token from Acquire or Find.
type Manager struct{ LockManager }

// own returns a lock of the Manager as its tenant sees it.
func (v View) own(l lock.Lock) (lock.Lock, error) {
	root, ok := v.out(l.Root)
	if !ok {
		return lock.Lock{}, webdav.ErrNoSuchLock
	}
	l.Root = root
	_, l.Principal, _ = SplitPrincipal(l.Principal)
	return l, nil
}

// Acquire implements LockManager, like the methods below.
func (m *Manager) Acquire(ctx context.Context, now time.Time, wanted lock.Lock) (lock.Lock, error) {
	view, err := ViewOf(ctx)
	if err != nil {
		return lock.Lock{}, err
	}
	wanted.Root, wanted.Principal = view.in(wanted.Root), view.prefix+"/"+wanted.Principal
	granted, err := m.LockManager.Acquire(ctx, now, wanted)
	conflict, ok := errors.AsType[*lock.ConflictError](err)
	switch {
	case ok:
		own := &lock.ConflictError{}
		for _, each := range conflict.Locks {
			if each, err := view.own(each); err == nil {
				own.Locks = append(own.Locks, each)
			}
		}
		if len(own.Locks) == 0 {
			return lock.Lock{}, webdav.ErrLocked // a lock that covers all tenants
		}
		return lock.Lock{}, own
	case err != nil:
		return lock.Lock{}, err
	}
	return view.own(granted)
}

// Renew implements LockManager.
func (m *Manager) Renew(ctx context.Context, now time.Time, token string, duration time.Duration) (lock.Lock, error) {
	view, err := ViewOf(ctx)
	if err != nil {
		return lock.Lock{}, err
	}
	renewed, err := m.LockManager.Renew(ctx, now, token, duration)
	if err != nil {
		return lock.Lock{}, err
	}
	return view.own(renewed)
}

// ReleaseTree implements LockManager.
func (m *Manager) ReleaseTree(ctx context.Context, now time.Time, name string) error {
	view, err := ViewOf(ctx)
	if err != nil {
		return err
	}
	return m.LockManager.ReleaseTree(ctx, now, view.in(name))
}

// Find implements LockManager.
func (m *Manager) Find(ctx context.Context, now time.Time, name string, tree bool) ([]lock.Lock, error) {
	view, err := ViewOf(ctx)
	if err != nil {
		return nil, err
	}
	found, err := m.LockManager.Find(ctx, now, view.in(name), tree)
	own := found[:0]
	for _, each := range found {
		if each, err := view.own(each); err == nil {
			own = append(own, each)
		}
	}
	return own, err
}

// Contexts returns a context for each tenant that has locks.
func (m *Manager) Contexts(ctx context.Context) ([]context.Context, error) {
	found, err := m.LockManager.Find(ctx, time.Now(), "/", true)
	var contexts []context.Context
	seen := make(map[string]bool)
	for _, each := range found {
		tenant, _, ok := SplitPrincipal(each.Principal)
		if ok && !seen[tenant] {
			seen[tenant] = true
			contexts = append(contexts, storage.WithTenant(ctx, tenant))
		}
	}
	return contexts, err
}

// PlainLocks returns system, which is not a lock.Manager, as the tenant of ctx sees it.
func PlainLocks(ctx context.Context, system webdav.LockSystem) webdav.LockSystem {
	view, err := ViewOf(ctx)
	return &tenantSystem{LockSystem: system, view: view, err: err}
}

// tenantSystem is a plain LockSystem as one tenant sees it. It passes Unlock on
// unchanged: the Handler has confirmed before that the lock covers a name of the tenant.
type tenantSystem struct {
	webdav.LockSystem

	view View
	err  error // set if the context has no tenant; every method returns it
}

func (s *tenantSystem) Confirm(now time.Time, name0, name1 string, conditions ...webdav.Condition) (release func(), err error) {
	if s.err != nil {
		return nil, s.err
	}
	for _, name := range []*string{&name0, &name1} {
		if *name != "" {
			*name = s.view.in(*name)
		}
	}
	return s.LockSystem.Confirm(now, name0, name1, conditions...)
}

func (s *tenantSystem) Create(now time.Time, details webdav.LockDetails) (token string, err error) {
	if s.err != nil {
		return "", s.err
	}
	details.Root = s.view.in(details.Root)
	return s.LockSystem.Create(now, details)
}

func (s *tenantSystem) Refresh(now time.Time, token string, duration time.Duration) (webdav.LockDetails, error) {
	if s.err != nil {
		return webdav.LockDetails{}, s.err
	}
	details, err := s.LockSystem.Refresh(now, token, duration)
	if err != nil {
		return details, err
	}
	root, ok := s.view.out(details.Root)
	if !ok {
		return webdav.LockDetails{}, webdav.ErrNoSuchLock
	}
	details.Root = root
	return details, nil
}
