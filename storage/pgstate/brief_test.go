package pgstate

import (
	"context"
	"encoding/xml"
	"errors"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// oneConnection returns a database whose node has one connection for all requests: a call of a
// transaction that wanted another one would wait forever.
func oneConnection(t *testing.T) string {
	t.Helper()
	return pgtest.Database(t) + "&pool_max_conns=1"
}

// briefly makes a brief claim and returns it with the context of its transaction.
func briefly(tb testing.TB, db *DB, w cluster.Work) (cluster.Claim, context.Context) {
	tb.Helper()
	w.Brief = true
	c := claimed(tb, db, w)
	ctx, err := c.Transaction(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return c, ctx
}

func lockOf(name string) lock.Lock { return lock.Lock{Root: name, Duration: time.Hour} }

// propertyOf returns a change that sets a property.
func propertyOf(value string) []webdav.Proppatch {
	return []webdav.Proppatch{{Props: []webdav.Property{{XMLName: xml.Name{Local: "p"}, InnerXML: []byte(value)}}}}
}

// locksAt returns how many locks other requests see at name.
func locksAt(ctx context.Context, tb testing.TB, db *DB, name string) int {
	tb.Helper()
	found, err := db.Locks().Find(ctx, time.Now(), name, true)
	if err != nil {
		tb.Fatal(err)
	}
	return len(found)
}

// TestBriefCommit: everything under a brief claim is one transaction, which other nodes see when End has
// returned, and which itself sees what it has changed.
func TestBriefCommit(t *testing.T) {
	dsn := oneConnection(t)
	db, other := member(t, dsn, Options{}), member(t, dsn, Options{Name: "other"})
	c, ctx := briefly(t, db, tree("/a"))
	if n := locksAt(ctx, t, db, "/a"); n != 0 {
		t.Errorf("%d locks before", n)
	}
	l, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a/x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Properties().Patch(ctx, "/a", propertyOf("1")); err != nil {
		t.Fatal(err)
	}
	if found, err := db.Properties().Any(ctx, "/a"); err != nil || !found {
		t.Errorf("its own property: %v, %v", found, err)
	}
	if _, err := db.Locks().Renew(ctx, time.Now(), l.Token, 2*time.Hour); err != nil {
		t.Error(err)
	}
	if err := db.History().SaveOperations(ctx, history.Record{ID: "h", Principal: "ann"}); err != nil {
		t.Error(err)
	}
	if n := locksAt(ctx, t, db, "/a"); n != 1 {
		t.Errorf("it sees %d locks of its own", n)
	}
	if n := locksAt(t.Context(), t, other, "/a"); n != 0 {
		t.Errorf("another node sees %d locks before the end", n)
	}
	end(t, c)
	end(t, c)
	found, _, err := other.Properties().Read(t.Context(), deadprops.Query{Names: []string{"/a"}})
	if err != nil || len(found["/a"]) != 1 || locksAt(t.Context(), t, other, "/a") != 1 {
		t.Errorf("after the end: %v, %v", found, err)
	}
	if _, err := other.History().LoadOperation(t.Context(), "h"); err != nil {
		t.Error(err)
	}
	if n := count(t, db, "SELECT count(*) FROM work"); n != 0 {
		t.Errorf("%d works", n)
	}
	if n := locksAt(ctx, t, db, "/a"); n != 1 { // A late call has a connection of its own.
		t.Errorf("after the end the context sees %d locks", n)
	}
}

// TestBriefWaits: another claim for the same name waits for the end of a brief one, and a brief one
// for that of any.
func TestBriefWaits(t *testing.T) {
	dsn := oneConnection(t)
	db, other := member(t, dsn, Options{}), member(t, dsn, Options{Name: "other"})
	watch := open(t, dsn, Options{Name: "watch"})
	for _, brief := range []bool{true, false} {
		c, ctx := briefly(t, db, tree("/a"))
		l, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a"))
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan int, 1)
		go func() {
			w := tree("/a/b")
			w.Brief = brief
			made, err := other.Cluster().Claim(context.Background(), w)
			if err != nil {
				t.Error(err)
				got <- 0
				return
			}
			ctx := context.Background()
			if brief {
				ctx, _ = made.Transaction(ctx)
			}
			got <- locksAt(ctx, t, other, "/a")
			end(t, made)
		}()
		eventually(t, "the other node waits at the latch", func() bool { return count(t, watch, "SELECT count(*) FROM pg_locks WHERE NOT granted") > 0 })
		end(t, c)
		if n := <-got; n != 1 {
			t.Errorf("the next claim sees %d locks", n)
		}
		if err := db.Locks().Release(t.Context(), time.Now(), l.Token); err != nil {
			t.Error(err)
		}
	}
	held := claimed(t, other, tree("/a"))
	w := tree("/a")
	w.Brief = true
	if _, err := db.Cluster().Claim(t.Context(), w); !errors.Is(err, cluster.ErrClaimed) {
		t.Errorf("a brief claim of a claimed name: %v", err)
	}
	end(t, held)
}

// TestBriefUndo: nothing is left after Undo but the result, and nothing can be changed any more
// with the context.
func TestBriefUndo(t *testing.T) {
	db := member(t, oneConnection(t), Options{})
	w := tree("/a")
	key := [32]byte{1}
	r := history.Record{ID: "u", Method: "DELETE", State: history.Running}
	w.Operation = &cluster.Operation{Key: key, Record: r}
	c, ctx := briefly(t, db, w)
	if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a")); err != nil {
		t.Fatal(err)
	}
	c.Undo(ctx)
	if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a")); !errors.Is(err, cluster.ErrUndone) {
		t.Errorf("Acquire after Undo: %v", err)
	}
	if n := locksAt(ctx, t, db, "/a"); n != 0 {
		t.Errorf("%d locks after Undo", n)
	}
	r.State, r.Status, r.Ended = history.Finished, 423, time.Now().UTC()
	if err := c.End(ctx, &cluster.Result{Record: r}); err != nil {
		t.Error(err)
	}
	if got, err := db.History().LoadOperation(t.Context(), "u"); err != nil || got.Status != 423 {
		t.Errorf("the result is %+v, %v", got, err)
	}
	if n := count(t, db, "SELECT count(*) FROM commits") + locksAt(t.Context(), t, db, "/a"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// TestBriefBroken: after a call that has failed in the middle of a change, nothing can be committed. End says
// so, and then takes the result of the failure.
func TestBriefBroken(t *testing.T) {
	failures := map[string]func(ctx context.Context, db *DB) error{
		"a statement fails": func(ctx context.Context, db *DB) error {
			_, err := db.exec(ctx, "INSERT INTO commits (id, epoch) VALUES (NULL, '')")
			return err
		},
		"a change fails after a statement": func(ctx context.Context, db *DB) error {
			return (*database)(db).Change(ctx, false, func(tx tables.Tx) error {
				if err := tables.Later(ctx, tx, "DELETE FROM properties"); err != nil {
					return err
				}
				return storage.ErrOverlap
			})
		},
		"a statement fails whose result is not needed": func(ctx context.Context, db *DB) error {
			err := (*database)(db).Change(ctx, false, func(tx tables.Tx) error {
				return tables.Later(ctx, tx, "INSERT INTO commits (id, epoch) VALUES (NULL, '')")
			})
			if err != nil {
				return err
			}
			_, err = db.Properties().Any(ctx, "/other")
			return err
		},
		"the client goes away": func(ctx context.Context, db *DB) error {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			_, err := db.exec(ctx, "SELECT pg_sleep(60)")
			return err
		},
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			db := member(t, oneConnection(t), Options{})
			c, ctx := briefly(t, db, tree("/a"))
			if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a")); err != nil {
				t.Fatal(err)
			}
			if err := fail(ctx, db); err == nil {
				t.Fatal("it did not fail")
			}
			if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a/b")); !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("Acquire afterwards: %v", err)
			}
			if err := c.End(t.Context(), nil); !errors.Is(err, cluster.ErrUndone) {
				t.Errorf("End: %v", err)
			}
			r := history.Record{ID: "b", Status: 503, State: history.Finished}
			if err := c.End(t.Context(), &cluster.Result{Record: r}); err != nil {
				t.Errorf("End with the result of the failure: %v", err)
			}
			if n := locksAt(t.Context(), t, db, "/a"); n != 0 {
				t.Errorf("%d locks are left", n)
			}
			end(t, claimed(t, db, tree("/a")))
		})
	}
}

// TestBriefRefusal: a call that fails before it changes anything leaves the transaction whole.
func TestBriefRefusal(t *testing.T) {
	db := member(t, oneConnection(t), Options{})
	if _, err := db.Locks().Acquire(t.Context(), time.Now(), lockOf("/a/x")); err != nil {
		t.Fatal(err)
	}
	c, ctx := briefly(t, db, tree("/a"))
	if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a/x")); !errors.Is(err, webdav.ErrLocked) {
		t.Errorf("Acquire of a locked name: %v", err)
	}
	if err := db.Properties().Patch(ctx, "/a", propertyOf("1")); err != nil {
		t.Error(err)
	}
	end(t, c)
	if found, err := db.Properties().Any(t.Context(), "/a"); !found || err != nil {
		t.Errorf("after the end: %v, %v", found, err)
	}
}

// TestBriefHangs: a transaction does not outlast Timing.Idle.
func TestBriefHangs(t *testing.T) {
	timing := quick()
	timing.Idle = 100 * time.Millisecond
	db := member(t, oneConnection(t), Options{Timing: timing})
	c, ctx := briefly(t, db, tree("/a"))
	eventually(t, "the connection is free", func() bool { return db.pool.Stat().AcquiredConns() == 0 })
	if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a")); !errors.Is(err, cluster.ErrUndone) {
		t.Errorf("Acquire: %v", err)
	}
	if err := c.End(t.Context(), nil); !errors.Is(err, cluster.ErrUndone) {
		t.Errorf("End: %v", err)
	}
	end(t, c)
}

// TestTransactionOfWork: the last transaction of a claim with a work ends that too. If it is
// undone, the work remains until End is called again.
func TestTransactionOfWork(t *testing.T) {
	dsn := oneConnection(t)
	db := member(t, dsn, Options{})
	for _, undo := range []bool{false, true} {
		w := tree("/a")
		w.Operation = &cluster.Operation{Key: [32]byte{1}, Record: history.Record{ID: "w", State: history.Running}}
		c := claimed(t, db, w)
		if err := db.Journal().SaveRecord(t.Context(), c.ID(), []byte("record")); err != nil {
			t.Fatal(err)
		}
		ctx, err := c.Transaction(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.Transaction(t.Context())
		if err != nil || again.Value(transactionKey{db}) != ctx.Value(transactionKey{db}) {
			t.Errorf("another call began another transaction: %v", err)
		}
		if err := db.Properties().Patch(ctx, "/a", propertyOf("1")); err != nil {
			t.Fatal(err)
		}
		want := 1
		if undo {
			c.Undo(ctx)
			want = 0
			if n := count(t, db, "SELECT count(*) FROM work"); n != 1 {
				t.Errorf("%d works after Undo", n)
			}
		}
		ended := history.Record{ID: "w", State: history.Finished, Status: 201, Ended: time.Now()}
		if err := c.End(ctx, &cluster.Result{Record: ended}); err != nil {
			t.Error(err)
		}
		if n := count(t, db, "SELECT count(*) FROM properties"); n != want {
			t.Errorf("undo %v: %d properties", undo, n)
		}
		if n := count(t, db, "SELECT count(*) FROM work"); n != 0 {
			t.Errorf("%d works", n)
		}
		if got, err := db.History().LoadOperation(t.Context(), "w"); err != nil || got.Status != 201 {
			t.Errorf("%+v, %v", got, err)
		}
		if err := db.Properties().Remove(t.Context(), "/a"); err != nil {
			t.Error(err)
		}
	}
}

// TestBriefRoundTrips: how often a brief claim waits for the database.
func TestBriefRoundTrips(t *testing.T) {
	db := member(t, oneConnection(t), Options{})
	eventually(t, "the node is quiet", func() bool { return db.figures.trips.Load() == 1 })
	trips := func(what string, want int64, do func()) {
		t.Helper()
		before := db.figures.trips.Load()
		do()
		if got := db.figures.trips.Load() - before; got != want {
			t.Errorf("%s: %d round trips, want %d", what, got, want)
		}
	}
	trips("a change of one statement", 2, func() {
		c, ctx := briefly(t, db, tree("/a"))
		locksAt(ctx, t, db, "/a")
		if err := errors.Join(
			db.Properties().Remove(ctx, "/a"),
			db.Locks().ReleaseTree(ctx, time.Now(), "/a"),
			(*database)(db).Change(ctx, false, func(tx tables.Tx) error {
				return tables.Later(ctx, tx, "INSERT INTO shares VALUES ('x', 'y')")
			})); err != nil {
			t.Error(err)
		}
		end(t, c)
	})
	if n := count(t, db, "SELECT count(*) FROM shares"); n != 1 {
		t.Error("the change was not committed")
	}
	trips("no change", 2, func() {
		c, _ := briefly(t, db, tree("/a"))
		end(t, c)
	})
}
