package lock

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// These methods implement webdav.LockSystem, for handlers that know nothing more.
//
// While Confirm holds a lock, these methods can't confirm, refresh or unlock it, and it
// does not expire: Acquire and Find treat it as alive. Renew, Release and ReleaseTree
// ignore holds. Their caller must know which locks its requests are using. And the lock
// of a removed resource ends in any case.

// Create implements webdav.LockSystem: it acquires an exclusive lock for the principal
// "".
//
// A lock with neither an owner nor a timeout stays only in memory until it is
// refreshed. x/net's handler creates one for nearly every request and removes it at the
// end. Each would cost two writes to the Store. And after a crash, the Store would hold
// a lock that never ends and whose token no client knows.
func (s *System) Create(now time.Time, details webdav.LockDetails) (token string, err error) {
	l, err := s.acquire(context.Background(), now, Lock{
		Root:      storage.Clean(details.Root),
		ZeroDepth: details.ZeroDepth,
		OwnerXML:  details.OwnerXML,
		Duration:  details.Duration,
	}, details.OwnerXML != "" || details.Duration >= 0)
	if errors.Is(err, webdav.ErrLocked) {
		err = webdav.ErrLocked // x/net compares with ==
	}
	return l.Token, err
}

// Refresh implements webdav.LockSystem.
func (s *System) Refresh(now time.Time, token string, duration time.Duration) (webdav.LockDetails, error) {
	l, err := s.renew(context.Background(), now, token, duration, true)
	if err != nil {
		return webdav.LockDetails{}, err
	}
	return webdav.LockDetails{
		Root:      l.Root,
		Duration:  l.Duration,
		OwnerXML:  l.OwnerXML,
		ZeroDepth: l.ZeroDepth,
	}, nil
}

// Unlock implements webdav.LockSystem.
func (s *System) Unlock(now time.Time, token string) error {
	ctx := context.Background()
	if err := s.begin(ctx, now); err != nil {
		return err
	}
	defer s.end()
	e, release, err := s.take(token)
	if err != nil {
		return err
	}
	defer release()
	return s.drop(ctx, e)
}

// take holds a lock that will be removed. Otherwise Confirm could claim it while the
// Store is still deleting it.
func (s *System) take(token string) (e *entry, release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, err = s.lookupLocked(token, true); err != nil {
		return nil, nil, err
	}
	return e, s.holdLocked(e), nil
}

// Confirm implements webdav.LockSystem. As with webdav.NewMemLS, a condition only says
// that the client has the token: Not makes no difference, and an ETag confirms nothing.
func (s *System) Confirm(now time.Time, name0, name1 string, conditions ...webdav.Condition) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var claimed []*entry
	for _, name := range []string{name0, name1} {
		if name == "" {
			continue
		}
		e := s.claimable(now, storage.Clean(name), conditions)
		if e == nil {
			return nil, webdav.ErrConfirmationFailed
		}
		if !slices.Contains(claimed, e) { // one lock may cover both names
			claimed = append(claimed, e)
		}
	}
	return s.holdLocked(claimed...), nil
}

// holdLocked holds the locks until release is called for the first time.
func (s *System) holdLocked(entries ...*entry) (release func()) {
	for _, e := range entries {
		e.held = true
	}
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, e := range entries {
			s.index.release(e)
		}
	})
}

// claimable returns a lock that covers name and that a condition names, or nil. It also
// returns nil if any lock that covers name is held: shared locks may overlap, but only
// one request at a time may have exclusive access.
func (s *System) claimable(now time.Time, name string, conditions []webdav.Condition) *entry {
	covering := s.index.covering(name, false)
	if slices.ContainsFunc(covering, func(e *entry) bool { return e.held }) {
		return nil
	}
	for _, e := range covering {
		for _, c := range conditions {
			if c.Token == e.lock.Token && e.alive(now) {
				return e
			}
		}
	}
	return nil
}
