package pgstate

import (
	"fmt"
	"testing"
	"time"

	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

var cuts = map[string]cut{"before": cutBefore, "within": cutWithin, "after": cutAfter, "delayed": cutDelay}

// behindCutter returns a node that reaches its database through a cutter. Its abandoned works are
// undone.
func behindCutter(t *testing.T) (*DB, *cutter) {
	t.Helper()
	c := newCutter(t, pgtest.Database(t))
	timing := quick()
	timing.Idle = 500 * time.Millisecond
	db := open(t, c.dsn, Options{Timing: timing})
	run(t, db, undo(t, nil))
	return db, c
}

// TestLostCommitOfLock: a lock is granted once, whatever happens to the answer of the database.
func TestLostCommitOfLock(t *testing.T) {
	for name, how := range cuts {
		t.Run(name, func(t *testing.T) {
			db, c := behindCutter(t)
			c.cutNext(how)
			got, err := db.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/a", Shared: true, Duration: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			close(c.later)
			c.wait()
			all, err := db.Locks().Find(t.Context(), time.Now(), "/a", false)
			if err != nil || len(all) != 1 || all[0].Token != got.Token {
				t.Errorf("Acquire returned %+v; there are %+v, %v", got, all, err)
			}
			if c.done() != 1 {
				t.Errorf("%d connections were cut", c.done())
			}
		})
	}
}

// TestLostCommitOfClaim: a name is claimed once, and no row of the lost attempt stays.
func TestLostCommitOfClaim(t *testing.T) {
	for name, how := range cuts {
		t.Run(name, func(t *testing.T) {
			db, c := behindCutter(t)
			c.cutNext(how)
			got := claimed(t, db, tree("/a"))
			close(c.later)
			c.wait()
			if n := count(t, db, "SELECT count(*) FROM claims"); n != 1 {
				t.Errorf("%d claims", n)
			}
			end(t, got)
			end(t, claimed(t, db, tree("/")))
			eventually(t, "no work is left", func() bool { return count(t, db, "SELECT count(*) FROM work") == 0 })
			if c.done() != 1 {
				t.Errorf("%d connections were cut", c.done())
			}
		})
	}
}

// TestLostCommitOfEnd: a claim ends once.
func TestLostCommitOfEnd(t *testing.T) {
	for name, how := range cuts {
		t.Run(name, func(t *testing.T) {
			db, c := behindCutter(t)
			got := claimed(t, db, tree("/a"))
			if how == cutDelay { // End waits until the database has ended the first transaction.
				go func() {
					eventually(t, "the connection was cut", func() bool { return c.done() == 1 })
					close(c.later)
				}()
			}
			c.cutNext(how)
			end(t, got)
			c.wait()
			if n := count(t, db, "SELECT count(*) FROM commits WHERE id = $1 AND outcome = 'finished'", got.ID()); n != 1 {
				t.Errorf("%d outcomes", n)
			}
			end(t, claimed(t, db, tree("/a")))
			if c.done() != 1 {
				t.Errorf("%d connections were cut", c.done())
			}
		})
	}
}

// TestLateRecord: a record that the database gets late does not replace a newer one.
func TestLateRecord(t *testing.T) {
	db := member(t, pgtest.Database(t), Options{})
	c := claimed(t, db, tree("/a"))
	for i := range 2 {
		if err := db.Journal().SaveRecord(t.Context(), c.ID(), fmt.Appendf(nil, "%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	db.versions.Store(0) // The next call has the version of the first one.
	if err := db.Journal().SaveRecord(t.Context(), c.ID(), []byte("late")); err != nil {
		t.Error(err)
	}
	if n := count(t, db, "SELECT count(*) FROM work WHERE record = '1'"); n != 1 {
		t.Error("the late record has replaced the newer one")
	}
}

// eventually waits until a condition is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !is(); {
		if pause(t.Context(), 5*time.Millisecond) != nil || time.Now().After(until) {
			t.Errorf("not yet: %s", what)
			return
		}
	}
}
