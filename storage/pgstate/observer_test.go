package pgstate

import (
	"errors"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// TestObserver: a node is dead when its beat has not changed during five renewals of this one in a
// row. An outage of the database starts the count again.
func TestObserver(t *testing.T) {
	var o observer
	o.seen = make(map[string]sighting)
	see := func(beat int64, times int) {
		for range times {
			o.observe([]peer{{epoch: "x", beat: beat}})
		}
	}
	dead := func(want bool) {
		t.Helper()
		if got := len(o.dead(5)) > 0; got != want {
			t.Errorf("dead: %v, want %v", got, want)
		}
	}
	see(1, 4)
	dead(false)
	see(2, 4)
	dead(false)
	o.interrupt()
	see(2, 4)
	dead(false)
	if o.silent("x", 4) || !o.silent("x", 3) || o.silent("unseen", 3) {
		t.Error("only x has been silent, for four renewals")
	}
	see(2, 1)
	dead(true)
	see(3, 1)
	dead(false)
	o.observe(nil)
	dead(false)
	o.expect("x")
	see(4, 1)
	dead(true)
}

// TestAlive: a node that has renewed its lease since it was seen is not declared dead.
func TestAlive(t *testing.T) {
	dsn := pgtest.Database(t)
	a, b := member(t, dsn, Options{}), member(t, dsn, Options{})
	m, err := b.current()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := b.takeOver(t.Context(), m, peer{epoch: a.Cluster().Epoch(), beat: -1}); ok || err != nil {
		t.Errorf("it was declared dead: %v, %v", ok, err)
	}
	end(t, claimed(t, a, tree("/")))
}

// TestLease: without a renewal, a node stops changes by itself, although the database answers.
func TestLease(t *testing.T) {
	timing := quick()
	timing.Renew, timing.Lease = time.Hour, 20*time.Millisecond
	db := member(t, pgtest.Database(t), Options{Timing: timing})
	eventually(t, "it has lost its lease", func() bool { return !db.Cluster().Stats().Member })
	if _, err := db.Cluster().Claim(t.Context(), tree("/a")); !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, cluster.ErrFenced) {
		t.Errorf("Claim: %v", err)
	}
	if _, err := db.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/a", Duration: time.Hour}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Acquire: %v", err)
	}
	count(t, db, "SELECT 1")
}

// TestJoinAgain: a node that was declared dead joins again only when its claims have ended, so that
// nothing that they allow is changed under the new epoch.
func TestJoinAgain(t *testing.T) {
	dsn := pgtest.Database(t)
	a, b := member(t, dsn, Options{Name: "a"}), member(t, dsn, Options{Name: "b"})
	c := claimed(t, a, tree("/a"))
	epoch := a.Cluster().Epoch()
	declare(t, a, b)
	<-c.Context().Done()
	for range 50 { // In this time, it would have joined.
		count(t, b, "SELECT 1")
		if _, err := a.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/a", Duration: time.Hour}); !errors.Is(err, cluster.ErrFenced) {
			t.Fatalf("Acquire: %v", err)
		}
	}
	works, err := b.adopted(t.Context(), b.member.Load())
	if err != nil || len(works) != 1 {
		t.Fatalf("adopted: %+v, %v", works, err)
	}
	if err := works[0].Settle(t.Context(), cluster.Finished, nil); err != nil {
		t.Error(err)
	}
	taken, ok := errors.AsType[*cluster.TakenOverError](c.End(t.Context(), nil))
	if !ok || taken.Outcome != cluster.Finished {
		t.Errorf("End: %v", taken)
	}
	eventually(t, "it has joined again", func() bool { return a.Cluster().Epoch() != epoch && a.Cluster().Stats().Member })
	end(t, claimed(t, a, tree("/a")))
	if s := a.Cluster().Stats(); s.Lost != 1 || s.Held != 0 {
		t.Errorf("%+v", s)
	}
}

// TestFencedRecord: the record of a work that another node has adopted is no more this node's, even
// before this one has noticed.
func TestFencedRecord(t *testing.T) {
	dsn := pgtest.Database(t)
	timing := quick()
	timing.Renew = time.Hour
	a, b := member(t, dsn, Options{Timing: timing}), member(t, dsn, Options{})
	c := claimed(t, a, cluster.Work{Scopes: tree("/a").Scopes, Record: []byte("old")})
	declare(t, a, b)
	if err := a.Journal().SaveRecord(t.Context(), c.ID(), []byte("new")); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("SaveRecord: %v", err)
	}
	if err := a.Journal().DeleteRecord(t.Context(), c.ID()); err != nil {
		t.Errorf("DeleteRecord: %v", err)
	}
	if all, err := b.Journal().LoadRecords(t.Context()); err != nil || len(all) != 1 || string(all[0]) != "old" {
		t.Errorf("LoadRecords: %q, %v", all, err)
	}
}
