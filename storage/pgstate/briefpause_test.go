package pgstate

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// The kinds of claims with a transaction.
const (
	ofWork   = "of a work"
	brief    = "brief"
	late     = "late"
	together = "late, gathered"
)

// kindsOfTransactions are all.
func kindsOfTransactions() []string { return []string{brief, late, together, ofWork} }

// gatherOne makes the late transaction of ctx one that others could share.
func gatherOne(ctx context.Context, db *DB) error {
	_, rows, ok, err := (*database)(db).Gather(ctx, []context.Context{ctx}, "SELECT 1")
	if err == nil && !ok {
		err = errCrowded
	}
	if err != nil {
		return err
	}
	return rows.Close()
}

// lockAndPatch locks name and sets a property of it, in the transaction of a claim, and returns what End
// returns, or the first error.
func lockAndPatch(ctx context.Context, db *DB, name, kind string) (err error) {
	r := history.Record{ID: "of" + name, Method: "MOVE", Source: name, State: history.Running}
	w := tree(name)
	w.Brief, w.Late = kind != ofWork, kind == late || kind == together
	if !w.Late {
		w.Operation = &cluster.Operation{Record: r}
	}
	c, err := db.Cluster().Claim(ctx, w)
	if err != nil {
		return err
	}
	inside, err := c.Transaction(ctx)
	if err == nil && kind == together {
		err = gatherOne(inside, db)
	}
	if err == nil {
		_, err = db.Locks().Acquire(inside, time.Now(), lockOf(name))
	}
	if err == nil {
		err = db.Properties().Patch(inside, name, propertyOf("1"))
	}
	r.State, r.Ended = history.Finished, time.Now()
	result := &cluster.Result{Record: r}
	if w.Late {
		result = nil
	}
	if err != nil {
		c.Undo(ctx)
		return errors.Join(err, c.End(ctx, result))
	}
	err = c.End(ctx, result)
	for errors.Is(err, cluster.ErrUndone) && !errors.Is(err, cluster.ErrFenced) {
		if again := c.End(ctx, nil); again == nil || errors.Is(again, cluster.ErrFenced) {
			break
		}
	}
	return err
}

// made returns whether what lockAndPatch does was done, wholly.
func made(t *testing.T, db *DB, name string) bool {
	t.Helper()
	locks := locksAt(t.Context(), t, db, name)
	property, err := db.Properties().Any(t.Context(), name)
	if err != nil || (locks == 1) != property {
		t.Errorf("%s: %d locks, property %v, %v", name, locks, property, err)
	}
	ended := count(t, db, "SELECT count(*) FROM operations WHERE id = $1 AND ended IS NOT NULL", "of"+name)
	if property && ended != 1 && !strings.HasPrefix(name, "/"+late) {
		t.Errorf("%s: the change was made, but its operation has not ended", name)
	}
	return property
}

// TestTransactionPausePoints is TestPausePoints for changes in the transaction of a claim.
func TestTransactionPausePoints(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfTransactions() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			by := open(t, dsn, Options{Name: "by"})
			run(t, by, undo(t, nil))
			moments := 0
			for over := false; !over; moments++ {
				if !t.Run(strconv.Itoa(moments), func(t *testing.T) { over = pauseTransaction(t, dsn, by, moments+1, kind) }) {
					return
				}
			}
			if moments < 10 && (kind == brief || kind == ofWork) || moments < 6 {
				t.Errorf("only %d moments were tried", moments)
			}
		})
	}
}

// pauseTransaction is TestTransactionPausePoints for one moment. It returns true if there are fewer.
func pauseTransaction(t *testing.T, dsn string, by *DB, at int, kind string) (over bool) {
	t.Helper()
	timing := quick()
	timing.Idle = 200 * time.Millisecond
	timing.Renew = time.Hour // The whole process is paused.
	db := open(t, dsn, Options{Name: "paused", Timing: timing, hook: pauseHere})
	run(t, db, nil)
	name := fmt.Sprintf("/%s-%d", kind, at)
	p := &pauser{at: at, paused: make(chan struct{}), resume: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- lockAndPatch(context.WithValue(t.Context(), pausing{}, p), db, name, kind) }()
	select {
	case err := <-done:
		if errors.Is(err, cluster.ErrUndone) && at < 100 && !made(t, by, name) {
			return false // The machine was so slow that Idle has passed.
		}
		if err != nil || !made(t, by, name) {
			t.Errorf("without a pause: %v", err)
		}
		return true
	case <-p.paused:
	}
	declare(t, db, by)
	eventually(t, "the work is settled", func() bool { return count(t, by, "SELECT count(*) FROM work") == 0 })
	claim := claimed(t, by, tree(name))
	before := content(t, by)
	close(p.resume)
	err := <-done
	if after := content(t, by); before != after {
		t.Errorf("%s: the dead node has changed\n%s\nto\n%s", p.where, before, after)
	}
	if was := made(t, by, name); (err == nil) != was || err != nil && !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("%s: the change was made: %v; the answer is %v", p.where, was, err)
	}
	end(t, claim)
	return false
}

// TestLostCommitOfTransaction: End tells the truth about a transaction, whatever happens to the answer to its
// COMMIT.
func TestLostCommitOfTransaction(t *testing.T) {
	t.Parallel()
	for name, how := range cuts {
		for _, kind := range kindsOfTransactions() {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				db, c := behindCutter(t)
				w := tree("/a")
				w.Brief, w.Late = kind != ofWork, kind == late || kind == together
				made := claimed(t, db, w)
				ctx, err := made.Transaction(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if kind == together {
					if err := gatherOne(ctx, db); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := db.Locks().Acquire(ctx, time.Now(), lockOf("/a")); err != nil {
					t.Fatal(err)
				}
				c.cutNext(how)
				err = made.End(ctx, nil)
				close(c.later)
				c.wait()
				n := locksAt(t.Context(), t, db, "/a")
				if err == nil && n != 1 || err != nil && (n != 0 || !errors.Is(err, cluster.ErrUndone)) {
					t.Errorf("End returned %v; %d locks", err, n)
				}
				if how != cutWithin && (err == nil) != (how == cutAfter) { // Within, both are possible.
					t.Errorf("End returned %v", err)
				}
				end(t, made)
				end(t, claimed(t, db, tree("/a")))
				if n := count(t, db, "SELECT count(*) FROM work"); n != 0 || c.done() != 1 {
					t.Errorf("%d works, %d connections were cut", n, c.done())
				}
			})
		}
	}
}
