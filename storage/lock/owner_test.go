package lock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/storage/lock"
)

// wantsOwner acquires a lock with an owner of n bytes. It checks that the error has
// that limit or, if limit is 0, that the lock is granted.
func wantsOwner(t *testing.T, s *lock.System, root, principal string, n, limit int) lock.Lock {
	t.Helper()
	l, err := s.Acquire(t.Context(), start, lock.Lock{
		Root: root, Principal: principal, OwnerXML: strings.Repeat("o", n), Duration: time.Hour,
	})
	var owner *lock.OwnerError
	switch {
	case limit == 0 && err != nil:
		t.Errorf("%s for %q with %d bytes: %v", root, principal, n, err)
	case limit != 0 && (!errors.As(err, &owner) || owner.Limit != limit):
		t.Errorf("%s for %q with %d bytes: %v, want the limit %d", root, principal, n, err, limit)
	}
	return l
}

// TestOwnerLimits: an owner has a limit, all owners together have one, and one named
// principal can't use all of that [RFC4918:S14.17].
func TestOwnerLimits(t *testing.T) {
	s := newSystem(t, lock.Options{MaxOwner: 100, MaxOwners: 1000})
	wantsOwner(t, s, "/a", "", 101, 100)
	first := wantsOwner(t, s, "/a", "ann", 100, 0)
	wantsOwner(t, s, "/b", "ann", 100, 0)
	wantsOwner(t, s, "/c", "ann", 51, 250)
	wantsOwner(t, s, "/c", "ann", 50, 0)
	wantsOwner(t, s, "/d", "ann", 1, 250)
	wantsOwner(t, s, "/d", "ann", 0, 0)
	for i := range 7 {
		wantsOwner(t, s, fmt.Sprint("/anyone/", i), "", 100, 0)
	}
	wantsOwner(t, s, "/e", "ben", 51, 1000)
	wantsOwner(t, s, "/e", "ben", 50, 0)
	wantsOwner(t, s, "/f", "", 1, 1000)
	// Locks that were released or have expired make room.
	if err := s.Release(t.Context(), start, first.Token); err != nil {
		t.Fatal(err)
	}
	wantsOwner(t, s, "/f", "", 100, 0)
	wantsOwner(t, s, "/g", "", 1, 1000)
	start := start.Add(time.Hour)
	if _, err := s.Acquire(context.Background(), start, lock.Lock{Root: "/g", OwnerXML: "x", Duration: time.Hour}); err != nil {
		t.Error(err)
	}
}

// TestOwnerDefaults: without options the limits are 8 KiB and 8 MiB. A refused client
// gets no lock.
func TestOwnerDefaults(t *testing.T) {
	s := newSystem(t, lock.Options{})
	wantsOwner(t, s, "/a", "", lock.DefaultMaxOwner+1, lock.DefaultMaxOwner)
	if found, err := s.Find(t.Context(), start, "/", true); err != nil || len(found) > 0 {
		t.Errorf("found %d, %v", len(found), err)
	}
	for i := range lock.DefaultMaxOwners / lock.DefaultMaxOwner {
		wantsOwner(t, s, fmt.Sprint("/", i), "", lock.DefaultMaxOwner, 0)
	}
	wantsOwner(t, s, "/b", "", 1, lock.DefaultMaxOwners)
	wantsOwner(t, s, "/b", "", 0, 0)
	if _, err := lock.New(t.Context(), lock.Options{MaxOwner: -1}); err == nil {
		t.Error("a negative limit was accepted")
	}
}
