package clustertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/lock"
)

// transacted claims w and locks name in the transaction of the claim.
func transacted(t *testing.T, p Process, w cluster.Work, name string) (cluster.Claim, context.Context) {
	t.Helper()
	c := claimOf(t, p, w)
	ctx, err := c.Transaction(t.Context())
	wantError(t, "Transaction", err, nil)
	_, err = p.Locks().Acquire(ctx, time.Now(), lock.Lock{Root: name, Duration: time.Hour})
	wantError(t, "Acquire", err, nil)
	return c, ctx
}

func wantLocks(t *testing.T, p Process, name string, want int) {
	t.Helper()
	found, err := p.Locks().Find(t.Context(), time.Now(), name, true)
	if err != nil || len(found) != want {
		t.Errorf("locks of %s: %+v, %v; want %d", name, found, err, want)
	}
}

// testBrief: a brief claim excludes others like any, and what was changed in it counts after End.
func testBrief(t *testing.T, f *fixture) {
	w := cluster.Work{Scopes: []cluster.Scope{whole("/a")}, Brief: true}
	held, ctx := transacted(t, f.a, w, "/a/x")
	got := make(chan error, 1)
	go func() {
		next := w
		next.Scopes = []cluster.Scope{self("/a/x")}
		c, err := f.b.Cluster().Claim(f.ctx, next)
		if err == nil {
			wantLocks(t, f.b, "/a/x", 1)
			err = c.End(f.ctx, nil)
		}
		got <- err
	}()
	wantError(t, "End", held.End(ctx, nil), nil)
	wantError(t, "Claim after the end of the other", <-got, nil)
	if stats := f.a.Cluster().Stats(); stats.Claims != 1 || stats.Held != 0 {
		t.Errorf("%+v", stats)
	}
}

// testBriefOperation: an identical request of another node, which arrived before the end of a brief
// claim, gets its result.
func testBriefOperation(t *testing.T, f *fixture) {
	key := [32]byte{5}
	r := history.Record{ID: "brief", Principal: "ann", Method: "MOVE", Source: "/a", Destination: "/b", State: history.Running, Status: 201}
	w := cluster.Work{Scopes: []cluster.Scope{whole("/a"), whole("/b")}, Brief: true, Operation: &cluster.Operation{Key: key, Record: r, Arrived: time.Now()}}
	held := claimOf(t, f.a, w)
	again := *w.Operation
	again.Record.ID = "again"
	again.Arrived = time.Now()
	got := make(chan error, 1)
	go func() {
		other := w
		other.Operation = &again
		_, err := f.b.Cluster().Claim(f.ctx, other)
		got <- err
	}()
	r.State, r.Ended = history.Finished, time.Now().UTC().Truncate(time.Microsecond)
	wantError(t, "End", held.End(f.ctx, &cluster.Result{Record: r, Keep: true}), nil)
	if running, ok := errors.AsType[*cluster.RunningError](<-got); !ok || running.ID != "brief" {
		t.Errorf("the identical request got %v", running)
	}
	s, err := f.b.Cluster().Operations().Find(f.ctx, key)
	if err != nil || s.Record.ID != "brief" || s.Node != "a" || s.Record.Status != 201 || s.Record.Source != "/a" {
		t.Errorf("Find: %+v, %v", s, err)
	}
}

// testUndo: what was changed in a transaction can be undone, for a brief claim and for others.
func testUndo(t *testing.T, f *fixture) {
	if !f.transacts {
		t.Skip("this database has no transactions")
	}
	for _, brief := range []bool{true, false} {
		r := history.Record{ID: "undone", Principal: "ann", Method: "COPY", Source: "/a", State: history.Running, Status: 201}
		w := cluster.Work{Scopes: []cluster.Scope{whole("/a")}, Brief: brief, Operation: &cluster.Operation{Record: r}}
		c, ctx := transacted(t, f.a, w, "/a")
		wantLocks(t, f.b, "/a", 0)
		c.Undo(ctx)
		r.State, r.Status, r.Ended = history.Finished, 507, time.Now().UTC().Truncate(time.Microsecond)
		wantError(t, "End", c.End(ctx, &cluster.Result{Record: r}), nil)
		wantLocks(t, f.b, "/a", 0)
		if got, err := f.b.History().LoadOperation(f.ctx, "undone"); err != nil || got.Status != 507 || got.State != history.Finished {
			t.Errorf("brief %v: the operation is %+v, %v", brief, got, err)
		}
		again := claimOf(t, f.b, cluster.Work{Scopes: w.Scopes})
		wantError(t, "End", again.End(f.ctx, nil), nil)
	}
}

// testTransactionOfWork: a work whose node dies before the end of its transaction is taken over, and
// its transaction changes nothing.
func testTransactionOfWork(t *testing.T, f *fixture) {
	w := cluster.Work{Scopes: []cluster.Scope{whole("/a")}, Record: []byte("stage")}
	c, ctx := transacted(t, f.a, w, "/a")
	wantError(t, "End", c.End(ctx, nil), nil)
	wantLocks(t, f.b, "/a", 1)
	w.Scopes = []cluster.Scope{whole("/b")}
	c = claimOf(t, f.a, w)
	works := f.declare(t)
	if len(works) != 1 || works[0].ID != c.ID() || string(works[0].Record) != "stage" {
		t.Fatalf("adopted: %+v", works)
	}
	if f.transacts {
		_, err := c.Transaction(f.ctx)
		wantError(t, "Transaction after the takeover", err, cluster.ErrFenced)
	}
	wantError(t, "Settle", works[0].Settle(f.ctx, cluster.Undone, nil), nil)
	wantError(t, "End", c.End(f.ctx, nil), cluster.ErrFenced)
}
