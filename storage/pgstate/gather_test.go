package pgstate

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// lateClaims are late claims of names.
func lateClaims(t *testing.T, db *DB, names ...string) (claims []cluster.Claim, contexts []context.Context) {
	t.Helper()
	for _, name := range names {
		c, ctx := briefly(t, db, cluster.Work{Scopes: []cluster.Scope{{Name: name}}, Late: true})
		claims, contexts = append(claims, c), append(contexts, ctx)
	}
	return claims, contexts
}

// gather makes one transaction of those of contexts.
func gather(t *testing.T, db *DB, contexts []context.Context) (g tables.Gathering, ok bool) {
	t.Helper()
	for _, ctx := range contexts {
		if !(*database)(db).Waits(ctx) {
			t.Fatal("a transaction has begun")
		}
	}
	g, rows, ok, err := (*database)(db).Gather(t.Context(), contexts, "SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	if ok {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
	return g, ok
}

// endAll ends claims at the same time, and returns their errors.
func endAll(ctx context.Context, claims []cluster.Claim) []error {
	errs := make([]error, len(claims))
	var wg sync.WaitGroup
	for i, c := range claims {
		wg.Go(func() { errs[i] = c.End(ctx, nil) })
	}
	wg.Wait()
	return errs
}

// TestGather: several claims share a transaction, which one round trip begins and one commits. Others see nothing
// before all of them have ended.
func TestGather(t *testing.T) {
	dsn := oneConnection(t)
	db, other := member(t, dsn, Options{}), member(t, dsn, Options{Name: "other"})
	isQuiet(t, db)
	claims, contexts := lateClaims(t, db, "/a", "/b", "/c")
	before := db.figures.trips.Load()
	g, ok := gather(t, db, contexts)
	if !ok {
		t.Fatal("they were not gathered")
	}
	for i, ctx := range contexts[:2] {
		if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf([]string{"/a", "/b"}[i])); err != nil {
			t.Error(err)
		}
	}
	g.Release(2) // It changes nothing here, but something of its own.
	if _, err := db.Locks().Acquire(contexts[0], time.Now(), lockOf("/a/x")); err == nil {
		t.Error("a member doesn't see the change of another")
	}
	if n := locksAt(t.Context(), t, other, "/"); n != 0 {
		t.Errorf("others see %d locks", n)
	}
	if n := db.figures.trips.Load() - before; n != 6 { // The begin, two for each lock, and one for a refused one.
		t.Errorf("%d round trips", n)
	}
	for _, err := range endAll(t.Context(), claims[:2]) {
		if err != nil {
			t.Error(err)
		}
	}
	<-g.Done()
	if n := locksAt(t.Context(), t, other, "/"); n != 2 {
		t.Errorf("others see %d locks after the end", n)
	}
	if n := count(t, db, "SELECT count(*) FROM commits"); n != 1 {
		t.Errorf("%d commits", n)
	}
	if _, err := db.Locks().Acquire(contexts[2], time.Now(), lockOf("/c")); err != nil {
		t.Errorf("the member that was released: %v", err)
	}
	end(t, claims[2])
	if n := locksAt(t.Context(), t, other, "/"); n != 3 {
		t.Errorf("others see %d locks at last", n)
	}
}

// TestGatherCrowded: claims for which something must be known or waited for are not gathered, and can still be made
// alone.
func TestGatherCrowded(t *testing.T) {
	dsn := pgtest.Database(t)
	db, other := member(t, dsn, Options{}), member(t, dsn, Options{Name: "other"})
	for what, stand := range map[string]func(t *testing.T) (remove func()){
		"a lock": func(t *testing.T) func() {
			l, err := db.Locks().Acquire(t.Context(), time.Now(), lockOf("/b"))
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := db.Locks().Release(context.Background(), time.Now(), l.Token); err != nil {
					t.Error(err)
				}
			}
		},
		"a property": func(t *testing.T) func() {
			if err := db.Properties().Patch(t.Context(), "/b", propertyOf("1")); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := db.Properties().Remove(context.Background(), "/b"); err != nil {
					t.Error(err)
				}
			}
		},
		"a claim": func(t *testing.T) func() {
			c := claimed(t, other, tree("/b"))
			return func() { end(t, c) }
		},
		"a transaction": func(t *testing.T) func() {
			c, _ := briefly(t, other, tree("/b"))
			return func() { end(t, c) }
		},
	} {
		t.Run(what, func(t *testing.T) {
			remove := stand(t)
			claims, contexts := lateClaims(t, db, "/a", "/b")
			if _, ok := gather(t, db, contexts); ok {
				t.Fatal("they were gathered")
			}
			remove()
			for i, ctx := range contexts {
				if _, err := db.exec(ctx, "SELECT 1"); err != nil {
					t.Error(err)
				}
				end(t, claims[i])
			}
		})
	}
}

// TestGatherUndo: if a member is undone or hangs, nothing of the others is committed, and they know it.
func TestGatherUndo(t *testing.T) {
	timing := quick()
	timing.Idle = 300 * time.Millisecond
	db := member(t, oneConnection(t), Options{Timing: timing})
	for _, hangs := range []bool{false, true} {
		claims, contexts := lateClaims(t, db, "/a", "/b")
		if _, ok := gather(t, db, contexts); !ok {
			t.Fatal("they were not gathered")
		}
		if _, err := db.Locks().Acquire(contexts[0], time.Now(), lockOf("/a")); err != nil {
			t.Fatal(err)
		}
		if !hangs {
			claims[1].Undo(contexts[1])
			end(t, claims[1])
		}
		if err := claims[0].End(t.Context(), nil); !errors.Is(err, cluster.ErrUndone) {
			t.Errorf("End: %v", err)
		}
		end(t, claims[0])
		if hangs {
			if err := claims[1].End(t.Context(), nil); !errors.Is(err, cluster.ErrUndone) {
				t.Errorf("End of the one that hung: %v", err)
			}
			end(t, claims[1])
		}
		if n := locksAt(t.Context(), t, db, "/"); n != 0 {
			t.Errorf("%d locks", n)
		}
	}
}

// TestGatherLostCommit: without an answer to the COMMIT, all members find out the same.
func TestGatherLostCommit(t *testing.T) {
	t.Parallel()
	for name, how := range cuts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, c := behindCutter(t)
			claims, contexts := lateClaims(t, db, "/a", "/b", "/c")
			if _, ok := gather(t, db, contexts); !ok {
				t.Fatal("they were not gathered")
			}
			if _, err := db.Locks().Acquire(contexts[1], time.Now(), lockOf("/b")); err != nil {
				t.Fatal(err)
			}
			c.cutNext(how)
			errs := endAll(t.Context(), claims)
			close(c.later)
			c.wait()
			made := locksAt(t.Context(), t, db, "/b") == 1
			for _, err := range errs {
				if (err == nil) != made || err != nil && !errors.Is(err, cluster.ErrUndone) {
					t.Errorf("End returned %v; made: %v", err, made)
				}
			}
			for _, each := range claims {
				end(t, each)
			}
		})
	}
}
