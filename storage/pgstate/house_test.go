package pgstate

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// age makes the rows of a table older.
func age(t *testing.T, db *DB, table, column, interval string) {
	t.Helper()
	if _, err := db.exec(t.Context(), "UPDATE "+table+" SET "+column+" = "+column+" - $1::INTERVAL", interval); err != nil {
		t.Fatal(err)
	}
}

// TestOldRows: commits are kept for an hour, expired locks for minutes, results for two minutes.
func TestOldRows(t *testing.T) {
	t.Parallel()
	db := member(t, pgtest.Database(t), Options{})
	if _, err := db.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/a", Duration: time.Minute}); err != nil {
		t.Fatal(err)
	}
	key := [32]byte{1}
	w := tree("/b")
	w.Operation = &cluster.Operation{Key: key, Record: history.Record{ID: "x", Method: "COPY", State: history.Running}}
	c := claimed(t, db, w)
	r := w.Operation.Record
	r.State, r.Ended = history.Finished, time.Now()
	if err := c.End(t.Context(), &cluster.Result{Record: r, Keep: true}); err != nil {
		t.Fatal(err)
	}
	const rows = "SELECT (SELECT count(*) FROM commits) * 100 + (SELECT count(*) FROM locks) * 10 + (SELECT count(*) FROM operations WHERE kept)"
	tidied := func(want int) {
		t.Helper()
		if err := db.tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, rows); n != want {
			t.Errorf("rows %03d, want %03d", n, want)
		}
	}
	tidied(211) // The lock and the end of the claim are commits.
	age(t, db, "commits", "made", "59 minutes")
	age(t, db, "locks", "expires", "10 minutes")
	age(t, db, "operations", "closed", "1 minute 50 seconds")
	tidied(211)
	if all, err := db.Locks().Find(t.Context(), time.Now(), "/a", false); len(all) > 0 || err != nil {
		t.Errorf("Find: %+v, %v", all, err)
	}
	age(t, db, "commits", "made", "2 minutes")
	age(t, db, "locks", "expires", "2 minutes")
	age(t, db, "operations", "closed", "11 seconds")
	if _, err := db.Cluster().Operations().Find(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Find of an old result: %v", err)
	}
	tidied(0)
}

// TestDatabaseTime: locks expire by the clock of the database, whatever time a caller passes.
func TestDatabaseTime(t *testing.T) {
	db := member(t, pgtest.Database(t), Options{})
	got, err := db.Locks().Acquire(t.Context(), time.Unix(1e9, 0), lock.Lock{Root: "/a", Duration: time.Hour})
	if err != nil || got.Created.Before(time.Now().Add(-time.Hour)) {
		t.Errorf("Acquire: %+v, %v", got, err)
	}
	all, err := db.Locks().Find(t.Context(), time.Now().Add(24*time.Hour), "/a", false)
	if err != nil || len(all) != 1 || all[0].Expires.Sub(all[0].Created) != time.Hour {
		t.Errorf("Find: %+v, %v", all, err)
	}
}

// TestLockLimits: a client has its own limit, on all nodes together. Owners have one too.
func TestLockLimits(t *testing.T) {
	dsn := pgtest.Database(t)
	nodes := []*DB{member(t, dsn, Options{}), member(t, dsn, Options{})}
	acquire := func(i int, client string, owner int) error {
		_, err := nodes[i%2].Locks().Acquire(t.Context(), time.Now(), lock.Lock{
			Root: "/" + newID(), Client: client, ClientMax: 2, OwnerXML: strings.Repeat("o", owner), Duration: time.Hour,
		})
		return err
	}
	for i := range 4 {
		err := acquire(i, "10.0.0.1", 10)
		if full := i >= 2; full != errors.Is(err, lock.ErrLimit) || !full && err != nil {
			t.Errorf("lock %d: %v", i, err)
		}
	}
	if err := acquire(0, "10.0.0.2", lock.DefaultMaxOwner); err != nil {
		t.Errorf("another client: %v", err)
	}
	if _, ok := errors.AsType[*lock.OwnerError](acquire(0, "10.0.0.3", lock.DefaultMaxOwner+1)); !ok {
		t.Error("a lock has an owner that is too long")
	}
}

// TestBriefLocks: a lock that x/net makes for one request ends with its node.
func TestBriefLocks(t *testing.T) {
	dsn := pgtest.Database(t)
	a, b := member(t, dsn, Options{}), member(t, dsn, Options{})
	for _, details := range []struct {
		root, owner string
		duration    time.Duration
	}{{"/brief", "", -1}, {"/owned", "<o/>", -1}, {"/timed", "", time.Hour}} {
		if _, err := a.Locks().Create(time.Now(), webdav.LockDetails{Root: details.root, OwnerXML: details.owner, Duration: details.duration}); err != nil {
			t.Fatal(err)
		}
	}
	declare(t, a, b)
	all, err := b.Locks().Find(t.Context(), time.Now(), "/", true)
	if err != nil || len(all) != 2 || all[0].Root != "/owned" || all[1].Root != "/timed" {
		t.Errorf("Find: %+v, %v", all, err)
	}
}
