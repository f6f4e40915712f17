package pgstate

import (
	"errors"
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// lateTree is a late claim on a tree.
func lateTree(name string) cluster.Work {
	w := tree(name)
	w.Late = true
	return w
}

// isQuiet waits until a new node has asked whether it has works to settle.
func isQuiet(t *testing.T, db *DB) {
	t.Helper()
	eventually(t, "the node is quiet", func() bool { return db.figures.trips.Load() == 1 })
}

// TestLate: a late claim is made by the first statement of its transaction, and costs no round trip of its own.
func TestLate(t *testing.T) {
	db := member(t, oneConnection(t), Options{})
	isQuiet(t, db)
	held, err := db.Locks().Acquire(t.Context(), time.Now(), lockOf("/a/x"))
	if err != nil {
		t.Fatal(err)
	}
	before := db.figures.trips.Load()
	c, ctx := briefly(t, db, lateTree("/a"))
	if n := db.figures.trips.Load() - before; n != 0 {
		t.Errorf("%d round trips before it is needed", n)
	}
	if _, err := db.exec(ctx, "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	// One more, because there is a lock.
	if n := db.figures.trips.Load() - before; n != 2 {
		t.Errorf("%d round trips for the claim and a statement, want 2", n)
	}
	if n := locksAt(ctx, t, db, "/a"); n != 1 {
		t.Errorf("it sees %d locks", n)
	}
	if err := db.Locks().Release(ctx, time.Now(), held.Token); err != nil {
		t.Error(err)
	}
	end(t, c)
	if n := locksAt(t.Context(), t, db, "/a"); n != 0 {
		t.Errorf("%d locks are left", n)
	}
}

// TestLateChange: a change that begins the transaction itself is seen by what follows.
func TestLateChange(t *testing.T) {
	db := member(t, oneConnection(t), Options{})
	c, ctx := briefly(t, db, lateTree("/a"))
	if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a/x")); err != nil {
		t.Fatal(err)
	}
	if n := locksAt(ctx, t, db, "/a"); n != 1 {
		t.Errorf("it sees %d locks of its own", n)
	}
	end(t, c)
	if n := locksAt(t.Context(), t, db, "/a"); n != 1 {
		t.Errorf("%d locks after the end", n)
	}
}

// TestLateWaits: what waits for a later statement begins the transaction at its end.
func TestLateWaits(t *testing.T) {
	db := member(t, oneConnection(t), Options{})
	c, ctx := briefly(t, db, lateTree("/a"))
	err := (*database)(db).Change(ctx, false, func(tx tables.Tx) error {
		return tables.Later(ctx, tx, "INSERT INTO shares (id, identity) VALUES ('a', 'b')")
	})
	if err != nil {
		t.Fatal(err)
	}
	end(t, c)
	if n := count(t, db, "SELECT count(*) FROM shares"); n != 1 {
		t.Errorf("%d rows", n)
	}
	end(t, claimed(t, db, lateTree("/a"))) // It was not used at all.
}

// TestLateRefused: the first statement returns what Claim would. Nothing of it is made, and End has nothing to do.
func TestLateRefused(t *testing.T) {
	dsn := pgtest.Database(t)
	db, other := member(t, dsn, Options{}), member(t, dsn, Options{Name: "other"})
	holder := claimed(t, other, tree("/a/b"))
	c, ctx := briefly(t, db, lateTree("/a"))
	if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a/x")); !errors.Is(err, cluster.ErrClaimed) {
		t.Errorf("Acquire: %v", err)
	}
	if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a/x")); !errors.Is(err, cluster.ErrUndone) {
		t.Errorf("another call: %v", err)
	}
	c.Undo(ctx)
	end(t, c)
	end(t, holder)
	if n := locksAt(t.Context(), t, db, "/a"); n != 0 {
		t.Errorf("%d locks", n)
	}
	if s := db.Cluster().Stats(); s.Refused != 1 || s.Held != 0 {
		t.Errorf("%+v", s)
	}
	c, ctx = briefly(t, db, lateTree("/a"))
	declare(t, db, other)
	if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a/x")); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("Acquire of a node that was declared dead: %v", err)
	}
	c.Undo(ctx)
	end(t, c)
}
