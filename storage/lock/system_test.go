package lock_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest"
)

// start is when the tests begin.
var start = time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)

func newSystem(t testing.TB, options lock.Options) *lock.System {
	t.Helper()
	s, err := lock.New(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func acquire(t testing.TB, s *lock.System, now time.Time, wanted lock.Lock) lock.Lock {
	t.Helper()
	l, err := s.Acquire(context.Background(), now, wanted)
	if err != nil {
		t.Fatalf("Acquire(%+v): %v", wanted, err)
	}
	return l
}

// holds checks which locks exist.
func holds(t testing.TB, s *lock.System, now time.Time, want ...lock.Lock) {
	t.Helper()
	got, err := s.Find(context.Background(), now, "/", true)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("there are %+v, %v, want %+v", got, err, want)
	}
}

// keeps checks which locks the store has.
func keeps(t testing.TB, store *memStore, want ...lock.Lock) {
	t.Helper()
	if !slices.Equal(store.locks, want) {
		t.Errorf("the store has %+v, want %+v", store.locks, want)
	}
}

func TestConformance(t *testing.T) {
	const limit = 50
	t.Run("memory", func(t *testing.T) {
		storagetest.LockSuite{
			New:   func(t *testing.T) lock.Manager { return newSystem(t, lock.Options{MaxPerPrincipal: limit}) },
			Limit: limit,
		}.Run(t)
	})
	t.Run("store", func(t *testing.T) {
		stores := map[lock.Manager]*memStore{}
		open := func(t *testing.T, store *memStore) lock.Manager {
			s := newSystem(t, lock.Options{Store: store, MaxPerPrincipal: limit})
			stores[s] = store
			return s
		}
		storagetest.LockSuite{
			New:    func(t *testing.T) lock.Manager { return open(t, &memStore{}) },
			Reopen: func(t *testing.T, old lock.Manager) lock.Manager { return open(t, stores[old]) },
			Limit:  limit,
		}.Run(t)
	})
}

func TestOptions(t *testing.T) {
	if s, err := lock.New(context.Background(), lock.Options{MaxPerPrincipal: -1}); err == nil || s != nil {
		t.Errorf("a negative limit: %v", err)
	}
	s := newSystem(t, lock.Options{})
	for i := range lock.DefaultMaxPerPrincipal {
		acquire(t, s, start, lock.Lock{Root: fmt.Sprint("/", i), Duration: time.Hour})
	}
	_, err := s.Acquire(context.Background(), start, lock.Lock{Root: "/x", Duration: time.Hour})
	if !errors.Is(err, lock.ErrLimit) {
		t.Errorf("one more than the default limit: %v, want lock.ErrLimit", err)
	}
}

// [RFC4918:S6.5]: a token is a version 4 UUID, even if the uuid package has another
// source of randomness.
func TestToken(t *testing.T) {
	uuid.SetRand(zeros{})
	defer uuid.SetRand(nil)
	form := regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	s := newSystem(t, lock.Options{})
	seen := map[string]bool{}
	for range 100 {
		l := acquire(t, s, start, lock.Lock{Root: "/a", Shared: true, Duration: time.Hour})
		if !form.MatchString(l.Token) || seen[l.Token] {
			t.Fatalf("token %q is not new, or not a random UUID", l.Token)
		}
		seen[l.Token] = true
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// If the Store refuses a change, the System does not make it.
func TestStoreFails(t *testing.T) {
	ctx := context.Background()
	store := &memStore{}
	s := newSystem(t, lock.Options{Store: store})
	a := acquire(t, s, start, lock.Lock{Root: "/a", Duration: time.Hour})
	b := acquire(t, s, start, lock.Lock{Root: "/b", Duration: time.Hour, Shared: true, Principal: "p"})
	store.fail = true
	for name, change := range map[string]func() error{
		"Acquire": func() error {
			_, err := s.Acquire(ctx, start, lock.Lock{Root: "/c", Duration: time.Hour})
			return err
		},
		"Renew":       func() error { _, err := s.Renew(ctx, start, a.Token, lock.Infinite); return err },
		"Release":     func() error { return s.Release(ctx, start, a.Token) },
		"ReleaseTree": func() error { return s.ReleaseTree(ctx, start, "/") },
		"Create": func() error {
			_, err := s.Create(start, webdav.LockDetails{Root: "/c", Duration: time.Hour})
			return err
		},
		"Refresh": func() error { _, err := s.Refresh(start, a.Token, 0); return err },
		"Unlock":  func() error { return s.Unlock(start, a.Token) },
	} {
		if err := change(); !errors.Is(err, errStore) {
			t.Errorf("%s returned %v, want the Store's error", name, err)
		}
		holds(t, s, start, a, b)
		keeps(t, store, a, b)
	}
	if err := s.ReleaseTree(ctx, start, "/c"); err != nil {
		t.Errorf("ReleaseTree where nothing is locked: %v", err)
	}
	if _, err := lock.New(ctx, lock.Options{Store: store}); !errors.Is(err, errStore) {
		t.Errorf("New returned %v, want the Store's error", err)
	}
	store.fail = false
	release, err := s.Confirm(start, "/a", "", webdav.Condition{Token: a.Token})
	if err != nil {
		t.Fatalf("Confirm after an Unlock that failed: %v", err)
	}
	release()
	if err := s.ReleaseTree(ctx, start, "/"); err != nil {
		t.Fatal(err)
	}
	holds(t, s, start)
	keeps(t, store)
}

// A Store may fail after it has saved a lock. The lock must not exist after a restart,
// because no client has its token.
func TestStoreFailsAfterSaving(t *testing.T) {
	ctx := context.Background()
	store := &memStore{}
	s := newSystem(t, lock.Options{Store: store})
	a := acquire(t, s, start, lock.Lock{Root: "/a", Duration: time.Hour})
	token, err := s.Create(start, webdav.LockDetails{Root: "/b", Duration: -1}) // in memory only
	if err != nil {
		t.Fatal(err)
	}
	store.failAfter = true
	if _, err := s.Acquire(ctx, start, lock.Lock{Root: "/c", Duration: lock.Infinite}); !errors.Is(err, errStore) {
		t.Fatalf("Acquire: %v, want the Store's error", err)
	}
	if _, err := s.Renew(ctx, start, token, lock.Infinite); !errors.Is(err, errStore) {
		t.Fatalf("Renew: %v, want the Store's error", err)
	}
	store.failAfter = false
	for _, token := range []string{token, a.Token} {
		if err := s.Release(ctx, start, token); err != nil {
			t.Fatal(err)
		}
	}
	keeps(t, store)
}

// A lock is invisible until it is durable. Calls that only find or use locks don't wait
// for that.
func TestSlowStore(t *testing.T) {
	ctx := context.Background()
	store := &memStore{}
	s := newSystem(t, lock.Options{Store: store})
	a := acquire(t, s, start, lock.Lock{Root: "/a", Duration: time.Hour})
	meanwhile := func() {
		holds(t, s, start, a)
		if err := s.ReleaseTree(ctx, start, "/b"); err != nil {
			t.Error(err)
		}
		release, err := s.Confirm(start, "/a", "", webdav.Condition{Token: a.Token})
		if err != nil {
			t.Errorf("Confirm: %v", err)
			return
		}
		release()
		short, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.Acquire(short, start, lock.Lock{Root: "/c"}); !errors.Is(err, context.Canceled) {
			t.Errorf("Acquire with a context that has ended: %v, want context.Canceled", err)
		}
	}
	store.saving = func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			meanwhile()
		}()
		select {
		case <-done:
		case <-time.After(2 * time.Minute):
			t.Error("Find, ReleaseTree of nothing or Confirm waits for the Store")
		}
	}
	b := acquire(t, s, start, lock.Lock{Root: "/b", Duration: time.Hour})
	holds(t, s, start, a, b)
}

// A caller that waits for another change stops when its context ends.
func TestContextWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memStore{}
		s := newSystem(t, lock.Options{Store: store})
		ctx, cancel := context.WithCancel(context.Background())
		waited := make(chan error, 1)
		store.saving = func() {
			go func() {
				_, err := s.Acquire(ctx, start, lock.Lock{Root: "/b", Duration: time.Hour})
				waited <- err
			}()
			synctest.Wait()
			cancel()
			if err := <-waited; !errors.Is(err, context.Canceled) {
				t.Errorf("Acquire: %v, want context.Canceled", err)
			}
		}
		a := acquire(t, s, start, lock.Lock{Root: "/a", Duration: time.Hour})
		holds(t, s, start, a)
	})
}

// A context that has ended changes nothing, even if no other change is running.
func TestContextEnded(t *testing.T) {
	s := newSystem(t, lock.Options{})
	a := acquire(t, s, start, lock.Lock{Root: "/a", Duration: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 50 {
		_, err1 := s.Acquire(ctx, start, lock.Lock{Root: "/b", Duration: time.Hour})
		_, err2 := s.Renew(ctx, start, a.Token, lock.Infinite)
		err3 := s.Release(ctx, start, a.Token)
		err4 := s.ReleaseTree(ctx, start, "/")
		for _, err := range []error{err1, err2, err3, err4} {
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%v, want context.Canceled", err)
			}
		}
	}
	holds(t, s, start, a)
}

// [RFC4918:S10.7]: every negative duration becomes Infinite.
func TestInfinite(t *testing.T) {
	s := newSystem(t, lock.Options{})
	a := acquire(t, s, start, lock.Lock{Root: "/a", Duration: -time.Hour})
	renewed, err := s.Renew(context.Background(), start, a.Token, -time.Minute)
	if err != nil || a.Duration != lock.Infinite || renewed != a || !a.Expires.IsZero() {
		t.Errorf("%+v was renewed as %+v, %v", a, renewed, err)
	}
}

// Expired locks are deleted from the Store in batches, or together with released ones.
func TestStoreIsSwept(t *testing.T) {
	ctx := context.Background()
	store := &memStore{}
	s := newSystem(t, lock.Options{Store: store})
	for i := range 600 {
		acquire(t, s, start, lock.Lock{Root: fmt.Sprint("/", i), Duration: time.Minute})
	}
	now := start.Add(time.Minute)
	store.fail = true
	holds(t, s, now) // works even if the Store fails
	store.fail = false
	if store.deletes != 0 || len(store.locks) != 600 {
		t.Errorf("Find has changed the Store: %d locks, %d deletes", len(store.locks), store.deletes)
	}

	var last lock.Lock
	for i := range 10 {
		last = acquire(t, s, now, lock.Lock{Root: fmt.Sprint("/", i), Duration: time.Minute})
	}
	if store.deletes != 2 || len(store.locks) != 600-2*256+10 {
		t.Errorf("the Store has %d locks after %d deletes, want 98 after 2", len(store.locks), store.deletes)
	}
	if err := s.Release(ctx, now, last.Token); err != nil {
		t.Fatal(err)
	}
	if store.deletes != 3 || len(store.locks) != 9 {
		t.Errorf("the Store has %d locks after %d deletes, want 9 after 3", len(store.locks), store.deletes)
	}
}

// The list of tokens to delete from the Store stays short even while the Store fails.
func TestStoreFailsForLong(t *testing.T) {
	store := &memStore{}
	s := newSystem(t, lock.Options{Store: store})
	store.fail = true
	for range 1000 {
		if _, err := s.Acquire(context.Background(), start, lock.Lock{Root: "/a"}); !errors.Is(err, errStore) {
			t.Fatalf("Acquire: %v, want the Store's error", err)
		}
	}
	if n := s.Stale(); n > 256 {
		t.Errorf("%d tokens wait to be deleted, want 256 at most", n)
	}
}

// If a crash has left two conflicting locks, the older one had expired.
func TestLoadConflict(t *testing.T) {
	old := lock.Lock{Token: "urn:old", Root: "/a/b", Duration: time.Minute, Expires: start.Add(time.Minute)}
	young := lock.Lock{Token: "urn:young", Root: "/a", Duration: time.Hour, Expires: start.Add(time.Hour)}
	store := &memStore{locks: []lock.Lock{old, young}}
	s := newSystem(t, lock.Options{Store: store})
	holds(t, s, start, young)
	if err := s.Release(context.Background(), start, young.Token); err != nil {
		t.Fatal(err)
	}
	keeps(t, store)
}

// A System that once held many locks takes no more memory than a new one.
func TestNothingIsLeft(t *testing.T) {
	s := newSystem(t, lock.Options{})
	ctx := context.Background()
	for i := range 100 {
		acquire(t, s, start, lock.Lock{
			Root: fmt.Sprintf("/%d/%d/a", i%7, i), Shared: true, Principal: fmt.Sprint("p", i), Duration: time.Duration(i) * time.Minute,
		})
	}
	now := start.Add(50 * time.Minute)
	if err := s.ReleaseTree(ctx, now, "/3"); err != nil {
		t.Fatal(err)
	}
	all, err := s.Find(ctx, now, "/", true)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d locks, %v", len(all), err)
	}
	for _, l := range all {
		if err := s.Release(ctx, now, l.Token); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Size() + s.Stale(); n != 0 {
		t.Errorf("%d locks, nodes, timeouts, principals and stale tokens are left", n)
	}
}
