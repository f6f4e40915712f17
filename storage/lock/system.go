package lock

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/webdav"
)

// DefaultMaxPerPrincipal is how many locks a principal may have at a time, if [Options]
// don't say.
const DefaultMaxPerPrincipal = 10_000

// Options configure a [System]. The zero value is useful.
type Options struct {
	// Store keeps the locks across restarts. If it is nil, they are only in memory.
	Store Store
	// MaxPerPrincipal is how many locks a principal may have at a time; 0 means
	// [DefaultMaxPerPrincipal]. Clients without a name share one such limit.
	MaxPerPrincipal int
	// MaxOwner limits the OwnerXML of a lock, in bytes; 0 means [DefaultMaxOwner].
	// MaxOwners limits those of all locks together; 0 means [DefaultMaxOwners]. One
	// named principal may use a quarter of it. Older locks in the Store count, and stay
	// even if they exceed the limits.
	MaxOwner, MaxOwners int
}

// System is davd's [Manager]. All locks are in memory. With a [Store], each change is
// written through: it becomes visible only when it is durable, and if the Store fails,
// nothing changes.
//
// Changes wait for each other and for the Store. Find and Confirm wait for neither.
//
// The next change removes expired locks from memory. In the Store they stay until there
// is a batch of them, or until another lock is released.
type System struct {
	store               Store // may be nil
	max                 int
	maxOwner, maxOwners int

	// changing is a mutex around every change. Unlike a sync.Mutex, a waiting caller
	// can stop when its context ends. Only the holder may change the locks of the
	// index.
	changing chan struct{}
	stale    []string // tokens to be deleted from the Store; guarded by changing

	// mu is never held while the Store is at work.
	mu    sync.RWMutex
	index index
}

var _ Manager = (*System)(nil)

// New returns a System with the locks in the Store, if any. From now on only
// the System may change the locks in it.
func New(ctx context.Context, options Options) (*System, error) {
	if options.MaxPerPrincipal < 0 {
		return nil, fmt.Errorf("MaxPerPrincipal is %d: give a number above 0, or 0 for %d",
			options.MaxPerPrincipal, DefaultMaxPerPrincipal)
	}
	if options.MaxOwner < 0 || options.MaxOwners < 0 {
		return nil, fmt.Errorf("MaxOwner is %d, MaxOwners is %d: give numbers above 0, or 0 for %d and %d",
			options.MaxOwner, options.MaxOwners, DefaultMaxOwner, DefaultMaxOwners)
	}
	s := &System{
		store:    options.Store,
		max:      cmp.Or(options.MaxPerPrincipal, DefaultMaxPerPrincipal),
		changing: make(chan struct{}, 1),
		index:    newIndex(),

		maxOwner:  cmp.Or(options.MaxOwner, DefaultMaxOwner),
		maxOwners: cmp.Or(options.MaxOwners, DefaultMaxOwners),
	}
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Any reports whether there may be a lock that has not expired.
func (s *System) Any() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.index.byToken) > 0
}

// Acquire implements [Manager]. If there are both a conflict and too many locks, it
// reports the conflict.
func (s *System) Acquire(ctx context.Context, now time.Time, wanted Lock) (Lock, error) {
	return s.acquire(ctx, now, wanted, true)
}

// acquire grants wanted and, if kept, saves it in the Store.
func (s *System) acquire(ctx context.Context, now time.Time, wanted Lock, kept bool) (Lock, error) {
	if err := s.begin(ctx, now); err != nil {
		return Lock{}, err
	}
	defer s.end()
	if err := s.admit(wanted); err != nil {
		return Lock{}, err
	}
	wanted.Token = newToken()
	wanted.Created = now.UTC().Truncate(time.Microsecond)
	wanted.Duration, wanted.Expires = timeout(now, wanted.Duration)
	e := &entry{lock: wanted, kept: kept && s.store != nil}
	if e.kept {
		if err := s.add(ctx, wanted); err != nil {
			return Lock{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index.insert(e)
	return wanted, nil
}

// admit returns why wanted can't be granted, or nil.
func (s *System) admit(wanted Lock) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if in := s.index.conflicts(wanted); len(in) > 0 {
		return &ConflictError{Locks: locksOf(in)}
	}
	if s.index.used[wanted.Principal].locks >= s.max {
		return ErrLimit
	}
	if wanted.Client != "" && wanted.ClientMax > 0 && s.index.used[clientKey(wanted.Client)].locks >= wanted.ClientMax {
		return ErrLimit
	}
	return s.index.admitOwner(wanted, s.maxOwner, s.maxOwners)
}

// Renew implements [Manager].
func (s *System) Renew(ctx context.Context, now time.Time, token string, duration time.Duration) (Lock, error) {
	return s.renew(ctx, now, token, duration, false)
}

// renew renews the lock of token. With heed, it fails while Confirm holds the lock.
func (s *System) renew(ctx context.Context, now time.Time, token string, duration time.Duration, heed bool) (Lock, error) {
	if err := s.begin(ctx, now); err != nil {
		return Lock{}, err
	}
	defer s.end()
	e, err := s.lookup(token, heed)
	if err != nil {
		return Lock{}, err
	}
	renewed := e.lock
	renewed.Duration, renewed.Expires = timeout(now, duration)
	if s.store != nil {
		e.kept = true // even if save fails, because it may have had its effect
		if err := s.save(ctx, renewed); err != nil {
			return Lock{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index.renew(e, renewed.Duration, renewed.Expires)
	return renewed, nil
}

// Release implements [Manager].
func (s *System) Release(ctx context.Context, now time.Time, token string) error {
	if err := s.begin(ctx, now); err != nil {
		return err
	}
	defer s.end()
	e, err := s.lookup(token, false)
	if err != nil {
		return err
	}
	return s.drop(ctx, e)
}

// ReleaseTree implements [Manager].
func (s *System) ReleaseTree(ctx context.Context, now time.Time, name string) error {
	if len(s.tree(name)) == 0 {
		return nil // This is the usual case, which must not wait for other changes.
	}
	if err := s.begin(ctx, now); err != nil {
		return err
	}
	defer s.end()
	return s.drop(ctx, s.tree(name)...)
}

func (s *System) tree(name string) []*entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.tree(name)
}

// Find implements [Manager]. Roots are sorted by their bytes.
func (s *System) Find(_ context.Context, now time.Time, name string, tree bool) ([]Lock, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := s.index.covering(name, tree)
	return locksOf(slices.DeleteFunc(found, func(e *entry) bool { return !e.alive(now) })), nil
}

// begin waits until all earlier changes are done and removes expired locks from the
// index.
func (s *System) begin(ctx context.Context, now time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.changing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.index.expired(now) {
		s.index.remove(e)
		if e.kept {
			s.stale = append(s.stale, e.lock.Token)
		}
	}
	return nil
}

// end lets the next change begin.
func (s *System) end() { <-s.changing }

// lookup returns the lock of token. With heed, it returns webdav.ErrLocked if Confirm
// holds the lock.
func (s *System) lookup(token string, heed bool) (*entry, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lookupLocked(token, heed)
}

func (s *System) lookupLocked(token string, heed bool) (*entry, error) {
	e := s.index.byToken[token]
	switch {
	case e == nil:
		return nil, webdav.ErrNoSuchLock
	case heed && e.held:
		return nil, webdav.ErrLocked
	}
	return e, nil
}

// drop ends the locks, first in the Store.
func (s *System) drop(ctx context.Context, entries ...*entry) error {
	var tokens []string
	for _, e := range entries {
		if e.kept {
			tokens = append(tokens, e.lock.Token)
		}
	}
	if len(tokens) > 0 {
		if err := s.forget(ctx, tokens...); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		s.index.remove(e)
	}
	return nil
}

// timeout returns the Duration and Expires of a Lock whose timeout begins at now.
func timeout(now time.Time, duration time.Duration) (time.Duration, time.Time) {
	if duration < 0 {
		return Infinite, time.Time{}
	}
	return duration, now.Add(duration).UTC().Truncate(time.Microsecond)
}
