package sqlstate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest"
)

func saveLocks(t *testing.T, db *DB, locks ...lock.Lock) {
	t.Helper()
	for _, l := range locks {
		if err := db.SaveLock(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
}

func wantLocks(t *testing.T, db *DB, want ...lock.Lock) {
	t.Helper()
	got, err := db.LoadLocks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("locks\n%+v\nwant\n%+v", got, want)
	}
}

func TestLocks(t *testing.T) {
	db := openNew(t)
	wantLocks(t, db)
	locks := []lock.Lock{
		{
			Token: "urn:uuid:2", Root: "/", Shared: true, ZeroDepth: true, Principal: "Zoë\x00\xff%", Duration: 90 * time.Second,
			OwnerXML: "<D:href xmlns:D='DAV:'>\xff\x00%é</D:href>", Expires: time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC),
		},
		{Token: "urn:uuid:1", Root: "/a\xff/%41", Duration: lock.Infinite},
		{Token: "opaquelocktoken:3%00", Root: "/é", Created: time.Date(2026, 1, 2, 3, 4, 5, 678_902_000, time.UTC), Duration: 1, Expires: time.Unix(0, 0).UTC()},
	}
	saveLocks(t, db, locks...)
	wantLocks(t, db, locks...)
	locks[1].Expires, locks[1].Duration, locks[1].OwnerXML = time.Unix(1, 1000).UTC(), time.Hour, "new"
	locks[1].Root, locks[1].Shared, locks[1].ZeroDepth, locks[1].Principal = "/b", true, true, "p"
	saveLocks(t, db, locks[1]) // It remains the second.
	wantLocks(t, db, locks...)
	db = reopen(t, db)
	wantLocks(t, db, locks...)
	if err := db.DeleteLocks(t.Context(), "urn:uuid:2", "urn:uuid:none", "opaquelocktoken:3%00"); err != nil {
		t.Error(err)
	}
	if err := db.DeleteLocks(t.Context()); err != nil {
		t.Error(err)
	}
	wantLocks(t, db, locks[1])
}

func TestDeleteManyLocks(t *testing.T) {
	db := openNew(t)
	const n = 751
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = fmt.Sprintf("urn:uuid:%d", i)
	}
	last := lock.Lock{Token: tokens[n-1], Root: "/last", Duration: lock.Infinite}
	first := lock.Lock{Token: tokens[0], Root: "/first", Duration: lock.Infinite}
	saveLocks(t, db, first, last)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.DeleteLocks(ctx, tokens...); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	wantLocks(t, db, first, last)
	if err := db.DeleteLocks(t.Context(), tokens...); err != nil {
		t.Error(err)
	}
	wantLocks(t, db)
}

// keptManager is a lock.System with its database.
type keptManager struct {
	*lock.System
	db *DB
}

func newManager(t *testing.T, db *DB) lock.Manager {
	t.Helper()
	system, err := lock.New(t.Context(), lock.Options{Store: db, MaxPerPrincipal: lockLimit})
	if err != nil {
		t.Fatal(err)
	}
	return keptManager{system, db}
}

const lockLimit = 100

func TestLockSystem(t *testing.T) {
	storagetest.LockSuite{
		New: func(t *testing.T) lock.Manager { return newManager(t, openNew(t)) },
		Reopen: func(t *testing.T, old lock.Manager) lock.Manager {
			kept, ok := old.(keptManager)
			if !ok {
				t.Fatalf("a %T", old)
			}
			return newManager(t, reopen(t, kept.db))
		},
		Limit: lockLimit,
	}.Run(t)
}

func BenchmarkSaveLock(b *testing.B) {
	db := openAt(b, filepath.Join(b.TempDir(), "state.db"))
	for n := 0; b.Loop(); n++ {
		l := lock.Lock{Token: fmt.Sprintf("urn:uuid:%d", n%1000), Root: "/document", Duration: time.Hour, Expires: time.Unix(int64(n), 0)}
		if err := db.SaveLock(b.Context(), l); err != nil {
			b.Fatal(err)
		}
	}
}
