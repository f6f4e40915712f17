package storagetest

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/lock"
)

// LockSuite is the conformance suite for a [lock.Manager].
type LockSuite struct {
	// New returns a Manager without locks, a new one at each call.
	New func(t *testing.T) lock.Manager

	// Reopen returns a Manager that has the locks of old, as after a restart. The suite
	// doesn't use old afterwards. Reopen is nil if locks don't survive a restart.
	Reopen func(t *testing.T, old lock.Manager) lock.Manager

	// Limit is the maximum number of locks per principal in the Managers that New
	// returns, at most a few hundred. If it is 0, the limit is not tested.
	Limit int
}

// A lockCheck is one requirement. It gets its own Manager.
type lockCheck struct {
	name string
	run  func(f *lockFixture)
}

// Run runs each check as a subtest.
func (s LockSuite) Run(t *testing.T) {
	t.Helper()
	groups := [][]lockCheck{lockGrantChecks, lockLifeChecks, lockSystemChecks, lockRaceChecks}
	if s.Reopen != nil {
		groups = append(groups, lockReopenChecks)
	}
	if s.Limit > 0 {
		groups = append(groups, lockLimitChecks)
	}
	for _, c := range slices.Concat(groups...) {
		t.Run(c.name, func(t *testing.T) {
			c.run(&lockFixture{Manager: s.New(t), suite: s, t: t, ctx: t.Context(), now: lockTime})
		})
	}
}

// lockTime is the time when the checks start. It has nanoseconds and is not in UTC.
var lockTime = time.Date(2026, time.March, 4, 5, 6, 7, 123_456_789, time.FixedZone("", 5*60*60))

// lockFixture is the Manager under test.
type lockFixture struct {
	lock.Manager

	suite LockSuite
	t     *testing.T
	ctx   context.Context //nolint:containedctx // lives as long as one check
	now   time.Time
}

// acquire checks that wanted is granted, and that the result has exactly the expected values.
func (f *lockFixture) acquire(wanted lock.Lock) lock.Lock {
	f.t.Helper()
	got, err := f.Acquire(f.ctx, f.now, wanted)
	if err != nil {
		f.t.Fatalf("Acquire(%+v): %v", wanted, err)
	}
	if u, err := url.Parse(got.Token); err != nil || !u.IsAbs() || strings.ContainsAny(got.Token, " \t\r\n<>") {
		f.t.Errorf("token %q is not an absolute URI", got.Token)
	}
	want := wanted
	want.Token = got.Token
	want.Created, want.Expires = f.now.Truncate(time.Microsecond), f.expires(wanted.Duration)
	if !sameLock(got, want) {
		f.t.Errorf("Acquire returned %+v, want %+v", got, want)
	}
	return got
}

// expires returns the end of a timeout that starts now.
func (f *lockFixture) expires(duration time.Duration) time.Time {
	if duration < 0 {
		return time.Time{}
	}
	return f.now.Add(duration).Truncate(time.Microsecond)
}

// refused checks that wanted conflicts with exactly the locks by, in that order.
func (f *lockFixture) refused(wanted lock.Lock, by ...lock.Lock) {
	f.t.Helper()
	got, err := f.Acquire(f.ctx, f.now, wanted)
	conflict, ok := errors.AsType[*lock.ConflictError](err)
	if !ok {
		f.t.Fatalf("Acquire(%+v) returned %+v, %v, want a *lock.ConflictError", wanted, got, err)
	}
	if !errors.Is(err, webdav.ErrLocked) {
		f.t.Errorf("%v does not match webdav.ErrLocked", err)
	}
	if !slices.EqualFunc(conflict.Locks, by, sameLock) {
		f.t.Errorf("Acquire(%+v): the conflicts are %+v, want %+v", wanted, conflict.Locks, by)
	}
}

// finds checks which locks cover name.
func (f *lockFixture) finds(name string, want ...lock.Lock) {
	f.t.Helper()
	f.find(name, false, want)
}

// findsTree checks which locks cover name or are below it.
func (f *lockFixture) findsTree(name string, want ...lock.Lock) {
	f.t.Helper()
	f.find(name, true, want)
}

func (f *lockFixture) find(name string, tree bool, want []lock.Lock) {
	f.t.Helper()
	got, err := f.Find(f.ctx, f.now, name, tree)
	if err != nil {
		f.t.Fatalf("Find(%q, %t): %v", name, tree, err)
	}
	if !slices.EqualFunc(got, want, sameLock) {
		f.t.Errorf("Find(%q, %t) returned %+v, want %+v", name, tree, got, want)
	}
}

func (f *lockFixture) release(l lock.Lock) {
	f.t.Helper()
	if err := f.Release(f.ctx, f.now, l.Token); err != nil {
		f.t.Fatalf("Release of the lock of %s: %v", l.Root, err)
	}
}

func (f *lockFixture) releaseTree(name string) {
	f.t.Helper()
	if err := f.ReleaseTree(f.ctx, f.now, name); err != nil {
		f.t.Fatalf("ReleaseTree(%q): %v", name, err)
	}
}

func (f *lockFixture) renew(l lock.Lock, duration time.Duration) lock.Lock {
	f.t.Helper()
	got, err := f.Renew(f.ctx, f.now, l.Token, duration)
	if err != nil {
		f.t.Fatalf("Renew of the lock of %s: %v", l.Root, err)
	}
	l.Duration, l.Expires = duration, f.expires(duration)
	if !sameLock(got, l) {
		f.t.Errorf("Renew returned %+v, want %+v", got, l)
	}
	return l
}

// gone checks that a lock that has ended can't be renewed or released.
func (f *lockFixture) gone(l lock.Lock) {
	f.t.Helper()
	if _, err := f.Renew(f.ctx, f.now, l.Token, time.Minute); !errors.Is(err, webdav.ErrNoSuchLock) {
		f.t.Errorf("Renew of an ended lock: %v, want webdav.ErrNoSuchLock", err)
	}
	if err := f.Release(f.ctx, f.now, l.Token); !errors.Is(err, webdav.ErrNoSuchLock) {
		f.t.Errorf("Release of an ended lock: %v, want webdav.ErrNoSuchLock", err)
	}
}

// later advances the time by d.
func (f *lockFixture) later(d time.Duration) { f.now = f.now.Add(d) }

// sameLock reports whether a and b are equal, ignoring the locations of the times. (Expires
// is in UTC, so that no client learns the server's time zone.)
func sameLock(a, b lock.Lock) bool {
	sameTimes := a.Created.Equal(b.Created) && a.Expires.Equal(b.Expires)
	a.Created, b.Created, a.Expires, b.Expires = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return sameTimes && a == b
}

// inConflict reports whether a and b can't exist at the same time (RFC 4918 §6.2, §7.4).
func inConflict(a, b lock.Lock) bool {
	return (!a.Shared || !b.Shared) && (protects(a, b.Root) || protects(b, a.Root))
}

// protects is an independent implementation of lock.Lock.Covers.
func protects(l lock.Lock, name string) bool {
	if l.ZeroDepth {
		return name == l.Root
	}
	return strings.HasPrefix(strings.TrimSuffix(name, "/")+"/", strings.TrimSuffix(l.Root, "/")+"/")
}
