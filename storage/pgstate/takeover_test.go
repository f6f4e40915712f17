package pgstate

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// undo undoes works, and passes their IDs to got unless that is nil.
func undo(t *testing.T, got chan<- string) settler {
	return func(ctx context.Context, works []cluster.Adopted) {
		for _, w := range works {
			if err := w.Settle(ctx, cluster.Undone, nil); err != nil {
				if ctx.Err() == nil {
					t.Errorf("Settle: %v", err)
				}
				continue
			}
			if got != nil {
				got <- w.ID
			}
		}
	}
}

func wantID(t *testing.T, got <-chan string, want string) {
	t.Helper()
	select {
	case id := <-got:
		if id != want {
			t.Errorf("work %s was settled, want %s", id, want)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing was settled")
	}
}

// TestMissedRenewals: a node that does not renew its lease is declared dead, and its work is
// settled. The hook for fencing comes before, and can refuse.
func TestMissedRenewals(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	dead := open(t, dsn, Options{Name: "dead", Address: "10.0.0.1"})
	stop := run(t, dead, nil)
	c := claimed(t, dead, tree("/a"))
	stop()

	timing := quick()
	timing.Renew, timing.Missed = 10*time.Millisecond, 5
	got := make(chan string, 10)
	var fenced []string
	by := open(t, dsn, Options{Name: "by", Timing: timing, Fence: func(_ context.Context, epoch, name, address string) error {
		fenced = append(fenced, epoch+name+address)
		if len(fenced) == 1 {
			return errors.New("not yet")
		}
		return nil
	}})
	run(t, by, undo(t, got))
	wantID(t, got, c.ID())
	if who := dead.Cluster().Epoch() + "dead10.0.0.1"; !slices.Equal(fenced, []string{who, who}) {
		t.Errorf("fenced: %q", fenced)
	}
	if n := by.figures.takeovers.Load(); n != 1 {
		t.Errorf("%d takeovers", n)
	}
	taken, ok := errors.AsType[*cluster.TakenOverError](c.End(t.Context(), nil))
	if !ok || taken.Outcome != cluster.Undone {
		t.Errorf("End: %v", taken)
	}
}

// TestPausedTransaction: a node that is paused within a transaction does not stop others for longer
// than a transaction may be idle, and can't commit afterwards.
func TestPausedTransaction(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	timing := quick()
	timing.Idle = 300 * time.Millisecond
	paused, resume := make(chan struct{}), make(chan struct{})
	var once sync.Once
	a := open(t, dsn, Options{Name: "a", Timing: timing, hook: func(_ context.Context, statement string, done bool) {
		if statement == "COMMIT" && !done {
			once.Do(func() {
				close(paused)
				<-resume
			})
		}
	}})
	run(t, a, nil)
	result := make(chan error, 1)
	go func() {
		_, err := a.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/a", Duration: time.Hour})
		result <- err
	}()
	<-paused
	b := member(t, dsn, Options{Name: "b"})
	declare(t, a, b) // It waits for the end of the transaction.
	if _, err := b.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/a", Duration: time.Hour}); err != nil {
		t.Errorf("Acquire by another node: %v", err)
	}
	close(resume)
	if err := <-result; !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("Acquire of the paused node: %v", err)
	}
	if n := count(t, b, "SELECT count(*) FROM locks"); n != 1 {
		t.Errorf("%d locks", n)
	}
}

// TestLostEnd: a claim whose end fails stays, and can be ended later.
func TestLostEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	db := member(t, pgtest.Database(t), Options{hook: func(_ context.Context, statement string, done bool) {
		if !done && strings.HasPrefix(statement, "WITH gone") {
			once.Do(cancel)
		}
	}})
	c := claimed(t, db, tree("/a"))
	if err := c.End(ctx, nil); err == nil {
		t.Fatal("the claim has ended")
	}
	if held := db.Cluster().Stats().Held; held != 1 {
		t.Errorf("%d claims are held", held)
	}
	end(t, c)
	end(t, claimed(t, db, tree("/a")))
}

// TestRestartOfDatabase: an outage of the database kills no node, however long it lasts. Changes
// are refused meanwhile, and go on afterwards.
func TestRestartOfDatabase(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	dsn := server.Database(t)
	timing := quick()
	timing.Renew, timing.Missed, timing.Lease = 30*time.Millisecond, 100, 100*time.Millisecond
	a, b := member(t, dsn, Options{Name: "a", Timing: timing}), member(t, dsn, Options{Name: "b", Timing: timing})
	epochs := a.Cluster().Epoch() + b.Cluster().Epoch()
	var c cluster.Claim
	eventually(t, "a has its lease", func() (ok bool) { // The machine may be slow.
		var err error
		c, err = a.Cluster().Claim(t.Context(), tree("/a"))
		return err == nil
	})
	server.Stop(t)
	failures := func() int64 { return min(a.figures.errors.Load(), b.figures.errors.Load()) }
	before := failures()
	eventually(t, "more renewals have failed than a node may miss", func() bool { return failures() > before+int64(timing.Missed) })
	if _, err := a.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/a", Duration: time.Hour}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Acquire without a database: %v", err)
	}
	if _, err := a.Locks().Find(t.Context(), time.Now(), "/a", false); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Find without a database: %v", err)
	}
	server.Restart(t)
	eventually(t, "both have their leases", func() bool { return a.Cluster().Stats().Member && b.Cluster().Stats().Member })
	eventually(t, "the claim has ended", func() bool { return c.End(t.Context(), nil) == nil })
	if now := a.Cluster().Epoch() + b.Cluster().Epoch(); now != epochs {
		t.Errorf("the epochs were %s, are %s", epochs, now)
	}
}

// TestFastRestart: a process that gets the lock file of its predecessor takes over at once.
func TestFastRestart(t *testing.T) {
	dsn, file := pgtest.Database(t), filepath.Join(t.TempDir(), "node")
	first := open(t, dsn, Options{LockFile: file})
	stop := run(t, first, nil)
	c := claimed(t, first, tree("/a"))
	if db, err := Open(t.Context(), dsn, Options{LockFile: file}); err == nil || !strings.Contains(err.Error(), "another davd") {
		t.Errorf("a second process: %v, %v", db, err)
	}
	stop()
	if err := first.file.close(); err != nil { // as the end of the process does
		t.Fatal(err)
	}
	first.file = nil
	got := make(chan string, 10)
	run(t, open(t, dsn, Options{LockFile: file}), undo(t, got))
	wantID(t, got, c.ID())
}

// TestLeave: a node that leaves takes its row with it, unless it has works. It makes no changes
// any more.
func TestLeave(t *testing.T) {
	dsn := pgtest.Database(t)
	a, b := member(t, dsn, Options{}), member(t, dsn, Options{})
	if err := a.Cluster().Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, b, "SELECT count(*) FROM nodes"); n != 1 {
		t.Errorf("%d nodes", n)
	}
	if _, err := a.Cluster().Claim(t.Context(), tree("/a")); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Claim: %v", err)
	}
}
