package clustertest

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/journal"
	"github.com/davd/davd/storage/lock"
)

// Process is the state of a process that is a node.
type Process interface {
	cluster.Member
	Locks() lock.Manager
	Properties() deadprops.Store
	Journal() journal.Store
	History() history.Store
}

// Cluster is an empty cluster.
type Cluster interface {
	// Join starts a process, whose Run calls settle. It is a member when Join returns, until the
	// test ends.
	Join(t *testing.T, name string, settle func(ctx context.Context, works []cluster.Adopted)) Process
	// Declare lets other processes declare p dead. When it returns, one has taken over.
	Declare(t *testing.T, p Process)
}

// Suite checks that an implementation of cluster.Node keeps the contract.
type Suite struct {
	New func(t *testing.T) Cluster
	// Transacts says that claims have transactions (cluster.Claim).
	Transacts bool
}

// Run runs the tests.
func (s Suite) Run(t *testing.T) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"scopes": testScopes, "wait": testWait, "record": testRecord, "fenced": testFenced, "adopted": testAdopted,
		"identical": testIdentical, "kept": testKept, "report": testReport,
		"brief": testBrief, "briefoperation": testBriefOperation, "undo": testUndo, "transaction": testTransactionOfWork,
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{Cluster: s.New(t), ctx: t.Context(), transacts: s.Transacts}
			f.a, f.b = f.Join(t, "a", f.adopt), f.Join(t, "b", f.adopt)
			test(t, f)
		})
	}
}

// fixture has two nodes.
type fixture struct {
	Cluster

	ctx  context.Context //nolint:containedctx // that of the test
	a, b Process
	// transacts is that of the Suite.
	transacts bool

	mu      sync.Mutex
	adopted []cluster.Adopted
	arrived chan struct{} // closed when works arrive; nil if no test waits
}

// adopt keeps works for the test.
func (f *fixture) adopt(_ context.Context, works []cluster.Adopted) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.adopted = works
	if f.arrived != nil {
		close(f.arrived)
		f.arrived = nil
	}
}

// declare declares f.a dead and returns its works.
func (f *fixture) declare(t *testing.T) []cluster.Adopted {
	t.Helper()
	arrived := make(chan struct{})
	f.mu.Lock()
	f.arrived = arrived
	f.mu.Unlock()
	f.Declare(t, f.a)
	select {
	case <-arrived:
	case <-time.After(30 * time.Second):
		t.Fatal("no node has got the works of the dead one")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.adopted
}

func claimOf(t *testing.T, p Process, w cluster.Work) cluster.Claim {
	t.Helper()
	c, err := p.Cluster().Claim(t.Context(), w)
	if err != nil {
		t.Fatalf("Claim of %v: %v", w.Scopes, err)
	}
	return c
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

func self(name string) cluster.Scope { return cluster.Scope{Name: name} }

func whole(name string) cluster.Scope { return cluster.Scope{Name: name, Tree: true} }

func members(name string) cluster.Scope { return cluster.Scope{Name: name, Members: true} }

// testScopes: two claims exclude each other if and only if their scopes overlap, whatever the
// spelling.
func testScopes(t *testing.T, f *fixture) {
	tests := []struct {
		held, asked cluster.Scope
		overlap     bool
	}{
		{self("/a"), self("/a"), true},
		{self("/a"), self("/ab"), false},
		{self("/a/b"), self("/a"), false},
		{whole("/a"), self("/a/b/c"), true},
		{self("/a/b/c"), whole("/a"), true},
		{whole("/a"), self("/a0"), false},
		{whole("/a/b"), whole("/a"), true},
		{whole("/"), self("/x"), true},
		{members("/a"), self("/a/b"), true},
		{members("/a"), self("/a/b/c"), false},
		{members("/a"), self("/a"), true},
		{self("/a/b"), members("/a"), true},
		{members("/"), self("/a"), true},
		{members("/a"), whole("/a/b"), true},
		{self("/caf\u00e9"), self("/cafe\u0301"), true},
		{whole("/Stra\u00dfe"), self("/STRASSE/x"), true},
		{self("/.davd-share-a/x"), self("/.davd-share-b/x"), false},
	}
	for _, test := range tests {
		for _, other := range []Process{f.a, f.b} {
			held := claimOf(t, f.a, cluster.Work{Scopes: []cluster.Scope{self("/other/name"), test.held}})
			ctx, cancel := context.WithTimeout(f.ctx, 3*time.Second)
			if test.overlap {
				// A canceled wait is as good as the whole second, and faster.
				cancel()
				ctx, cancel = context.WithTimeout(f.ctx, 50*time.Millisecond)
			}
			asked, err := other.Cluster().Claim(ctx, cluster.Work{Scopes: []cluster.Scope{test.asked}})
			cancel()
			if got := err != nil; got != test.overlap {
				t.Errorf("%+v while %+v is held: %v, want overlap %v", test.asked, test.held, err, test.overlap)
			}
			if asked != nil {
				wantError(t, "End", asked.End(f.ctx, nil), nil)
			}
			wantError(t, "End", held.End(f.ctx, nil), nil)
		}
	}
}

// testWait: a claim waits for another one, but not for long.
func testWait(t *testing.T, f *fixture) {
	w := cluster.Work{Scopes: []cluster.Scope{whole("/a")}}
	held := claimOf(t, f.a, w)
	began := time.Now()
	_, err := f.b.Cluster().Claim(f.ctx, w)
	wantError(t, "Claim", err, cluster.ErrClaimed)
	if took := time.Since(began); took < 500*time.Millisecond || took > 5*time.Second {
		t.Errorf("it waited %v", took)
	}
	got := make(chan error, 1)
	go func() {
		c, err := f.b.Cluster().Claim(f.ctx, w)
		if err == nil {
			err = c.End(f.ctx, nil)
		}
		got <- err
	}()
	wantError(t, "End", held.End(f.ctx, nil), nil)
	wantError(t, "Claim after the end of the other", <-got, nil)
	if stats := f.b.Cluster().Stats(); stats.Claims != 1 || stats.Refused == 0 || stats.Held != 0 || !stats.Member {
		t.Errorf("%+v", stats)
	}
}

// testRecord: a journal holds the records of works that this node has adopted, and no others.
func testRecord(t *testing.T, f *fixture) {
	c := claimOf(t, f.a, cluster.Work{Scopes: []cluster.Scope{self("/a")}, Record: []byte("first")})
	j := f.a.Journal()
	wantError(t, "SaveRecord", j.SaveRecord(f.ctx, c.ID(), []byte("second")), nil)
	if all, err := j.LoadRecords(f.ctx); len(all) > 0 || err != nil {
		t.Errorf("LoadRecords: %q, %v", all, err)
	}
	works := f.declare(t)
	if len(works) != 1 || works[0].ID != c.ID() || string(works[0].Record) != "second" || works[0].Operation != "" {
		t.Fatalf("adopted: %+v", works)
	}
	if all, err := f.b.Journal().LoadRecords(f.ctx); len(all) != 1 || string(all[0]) != "second" || err != nil {
		t.Errorf("LoadRecords: %q, %v", all, err)
	}
	wantError(t, "Settle", works[0].Settle(f.ctx, cluster.Undone, nil), nil)
	wantError(t, "End", c.End(f.ctx, nil), cluster.ErrFenced)
}

// testFenced: a node that was declared dead changes nothing any more, until its claims have ended.
func testFenced(t *testing.T, f *fixture) {
	c := claimOf(t, f.a, cluster.Work{Scopes: []cluster.Scope{whole("/a")}})
	epoch := f.a.Cluster().Epoch()
	works := f.declare(t)
	select {
	case <-c.Context().Done():
		wantError(t, "the cause", context.Cause(c.Context()), cluster.ErrFenced)
	case <-time.After(30 * time.Second):
		t.Error("the context of the claim did not end")
	}
	now := time.Now()
	_, err := f.a.Locks().Acquire(f.ctx, now, lock.Lock{Root: "/b", Duration: time.Hour})
	wantError(t, "Acquire", err, cluster.ErrFenced)
	wantError(t, "Remove", f.a.Properties().Remove(f.ctx, "/b"), cluster.ErrFenced)
	wantError(t, "SaveRecord", f.a.Journal().SaveRecord(f.ctx, c.ID(), []byte("x")), cluster.ErrFenced)
	_, err = f.a.Cluster().Claim(f.ctx, cluster.Work{Scopes: []cluster.Scope{self("/c")}})
	wantError(t, "Claim", err, storage.ErrUnavailable)
	if f.a.Cluster().Stats().Member {
		t.Error("the dead node says that it is a member")
	}
	_, err = f.b.Cluster().Claim(f.ctx, cluster.Work{Scopes: []cluster.Scope{self("/a/x")}})
	if err == nil {
		t.Fatal("a claim was granted before the work was settled")
	}
	wantError(t, "Settle", works[0].Settle(f.ctx, cluster.Undone, nil), nil)
	claimed := claimOf(t, f.b, cluster.Work{Scopes: []cluster.Scope{self("/a/x")}})
	wantError(t, "End", claimed.End(f.ctx, nil), nil)
	taken, ok := errors.AsType[*cluster.TakenOverError](c.End(f.ctx, nil))
	if !ok || taken.Outcome != cluster.Undone {
		t.Errorf("End: %v", taken)
	}
	again := claimSoon(t, f.a, cluster.Work{Scopes: []cluster.Scope{self("/a/x")}})
	wantError(t, "End", again.End(f.ctx, nil), nil)
	if now := f.a.Cluster().Epoch(); now == epoch || now == "" {
		t.Errorf("the epoch is still %q", now)
	}
}

// claimSoon claims as soon as the node has joined again.
func claimSoon(t *testing.T, p Process, w cluster.Work) cluster.Claim {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); {
		c, err := p.Cluster().Claim(t.Context(), w)
		if err == nil {
			return c
		}
		wantError(t, "Claim", err, storage.ErrUnavailable)
	}
	t.Fatal("the node did not join again")
	return nil
}

// testAdopted: an operation that another node has finished has its result, and the dead node
// gets the outcome even if it asks before.
func testAdopted(t *testing.T, f *fixture) {
	key := [32]byte{1}
	r := history.Record{ID: "one", Principal: "ann", Method: "MOVE", Source: "/a", Destination: "/b", State: history.Running, Status: 201}
	c := claimOf(t, f.a, cluster.Work{Scopes: []cluster.Scope{whole("/a"), whole("/b")}, Operation: &cluster.Operation{Key: key, Record: r}})
	works := f.declare(t)
	if len(works) != 1 || works[0].Operation != "one" || works[0].Record != nil {
		t.Fatalf("adopted: %+v", works)
	}
	s, err := f.b.Cluster().Operations().Load(f.ctx, "one")
	if err != nil || !s.Alive || s.Record.State != history.Running || s.Record.Status != 201 {
		t.Errorf("before the outcome: %+v, %v", s, err)
	}
	outcome := make(chan error, 1)
	go func() { outcome <- c.End(f.ctx, nil) }()
	r.State, r.Ended = history.Interrupted, time.Now().UTC().Truncate(time.Microsecond)
	wantError(t, "Settle", works[0].Settle(f.ctx, cluster.Finished, &cluster.Result{Record: r, Keep: true}), nil)
	taken, ok := errors.AsType[*cluster.TakenOverError](<-outcome)
	if !ok || taken.Outcome != cluster.Finished {
		t.Errorf("End: %v", taken)
	}
	if s, err := f.b.Cluster().Operations().Find(f.ctx, key); err != nil || s.Record.State != history.Interrupted {
		t.Errorf("Find: %+v, %v", s, err)
	}
}

// testIdentical: an identical operation on another node is found, and can't begin twice.
func testIdentical(t *testing.T, f *fixture) {
	key := [32]byte{2}
	r := history.Record{ID: "two", Principal: "ann", Method: "COPY", Source: "/a", Destination: "/b", State: history.Running, Status: 204, Started: time.Now().UTC().Truncate(time.Microsecond)}
	w := cluster.Work{Scopes: []cluster.Scope{whole("/b")}, Operation: &cluster.Operation{Key: key, Record: r}}
	c := claimOf(t, f.a, w)
	again := r
	again.ID = "three"
	_, err := f.b.Cluster().Claim(f.ctx, cluster.Work{Scopes: w.Scopes, Operation: &cluster.Operation{Key: key, Record: again}})
	if running, ok := errors.AsType[*cluster.RunningError](err); !ok || running.ID != "two" {
		t.Errorf("Claim: %v", err)
	}
	ops := f.b.Cluster().Operations()
	if s, err := ops.Find(f.ctx, key); err != nil || s.Record.ID != "two" || s.Node != "a" || !s.Alive {
		t.Errorf("Find: %+v, %v", s, err)
	}
	_, err = ops.Find(f.ctx, [32]byte{9})
	wantError(t, "Find", err, fs.ErrNotExist)
	if all, err := ops.Running(f.ctx); err != nil || len(all) != 1 || all[0].Record.Source != "/a" {
		t.Errorf("Running: %+v, %v", all, err)
	}
	arrived := time.Now()
	r.State, r.Ended, r.Status = history.Finished, time.Now().UTC().Truncate(time.Microsecond), 204
	wantError(t, "End", c.End(f.ctx, &cluster.Result{Record: r}), nil)
	_, err = f.b.Cluster().Claim(f.ctx, cluster.Work{Scopes: w.Scopes, Operation: &cluster.Operation{Key: key, Record: again, Arrived: arrived}})
	if running, ok := errors.AsType[*cluster.RunningError](err); !ok || running.ID != "two" {
		t.Errorf("Claim for a request that arrived before the end: %v", err)
	}
	later := claimOf(t, f.b, cluster.Work{Scopes: w.Scopes, Operation: &cluster.Operation{Key: key, Record: again, Arrived: time.Now()}})
	again.State, again.Ended = history.Finished, r.Ended
	wantError(t, "End", later.End(f.ctx, &cluster.Result{Record: again}), nil)
	if got, err := f.b.History().LoadOperation(f.ctx, "two"); err != nil || got.State != history.Finished || !got.Ended.Equal(r.Ended) {
		t.Errorf("LoadOperation: %+v, %v", got, err)
	}
	_, err = ops.Find(f.ctx, key)
	wantError(t, "Find of a result that is not kept", err, fs.ErrNotExist)
	if all, err := ops.Running(f.ctx); err != nil || len(all) > 0 {
		t.Errorf("Running: %+v, %v", all, err)
	}
}

// testKept: a result is kept until it is forgotten, or until the names change.
func testKept(t *testing.T, f *fixture) {
	ops := f.b.Cluster().Operations()
	end := func(key [32]byte, id string, held bool) {
		r := history.Record{ID: id, Principal: "ann", Method: "DELETE", Source: "/a/b", State: history.Running, Status: 204}
		c := claimOf(t, f.a, cluster.Work{Scopes: []cluster.Scope{whole("/a/b")}, Operation: &cluster.Operation{Key: key, Record: r}})
		r.State, r.Ended = history.Finished, time.Now().UTC().Truncate(time.Microsecond)
		wantError(t, "End", c.End(f.ctx, &cluster.Result{Record: r, Keep: true, Held: held}), nil)
		if held {
			_, err := ops.Find(f.ctx, key)
			wantError(t, "Find of a held result", err, fs.ErrNotExist)
			wantError(t, "Release", f.a.Cluster().Operations().Release(f.ctx, id), nil)
		}
		if s, err := ops.Find(f.ctx, key); err != nil || s.Record.ID != id || s.Record.Status != 204 {
			t.Errorf("Find: %+v, %v", s, err)
		}
	}
	end([32]byte{3}, "k1", false)
	wantError(t, "Forget", ops.Forget(f.ctx, "k1"), nil)
	_, err := ops.Find(f.ctx, [32]byte{3})
	wantError(t, "Find of a forgotten result", err, fs.ErrNotExist)
	end([32]byte{4}, "k2", true)
	wantError(t, "End", claimOf(t, f.b, cluster.Work{Scopes: []cluster.Scope{self("/c")}}).End(f.ctx, nil), nil)
	if _, err := ops.Find(f.ctx, [32]byte{4}); err != nil {
		t.Errorf("after a change elsewhere: %v", err)
	}
	wantError(t, "End", claimOf(t, f.b, cluster.Work{Scopes: []cluster.Scope{self("/a/b/c")}}).End(f.ctx, nil), nil)
	_, err = ops.Find(f.ctx, [32]byte{4})
	wantError(t, "Find after a change", err, fs.ErrNotExist)
}

// testReport: progress and stops reach the other node. Only the owner's end counts.
func testReport(t *testing.T, f *fixture) {
	ops, own := f.b.Cluster().Operations(), f.a.Cluster().Operations()
	_, err := ops.Load(f.ctx, "none")
	wantError(t, "Load", err, fs.ErrNotExist)
	r := history.Record{ID: "listing", Principal: "ann", Method: "PROPFIND", Source: "/", State: history.Running, Done: 5, Started: time.Now().UTC().Truncate(time.Microsecond)}
	report := func(wantStop, wantWatched bool) {
		t.Helper()
		stop, watched, err := own.Report(f.ctx, r)
		if err != nil || stop != wantStop || watched != wantWatched {
			t.Errorf("Report: %v, %v, %v; want %v, %v", stop, watched, err, wantStop, wantWatched)
		}
	}
	report(false, false)
	if s, err := ops.Load(f.ctx, "listing"); err != nil || s.Record.Done != 5 || s.Node != "a" || !s.Alive || s.Age > time.Minute {
		t.Errorf("Load: %+v, %v", s, err)
	}
	report(false, true)
	wantError(t, "Stop", ops.Stop(f.ctx, "listing"), nil)
	wantError(t, "Stop", ops.Stop(f.ctx, "none"), fs.ErrNotExist)
	report(true, true)
	if s, err := ops.Load(f.ctx, "listing"); err != nil || !s.Stopping {
		t.Errorf("Load: %+v, %v", s, err)
	}
	ended := r
	ended.State, ended.Ended = history.Stopped, time.Now().UTC().Truncate(time.Microsecond)
	wantError(t, "SaveOperations", f.a.History().SaveOperations(f.ctx, ended), nil)
	_, _, err = own.Report(f.ctx, r)
	wantError(t, "Report after the end", err, nil)
	if s, err := ops.Load(f.ctx, "listing"); err != nil || s.Record.State != history.Stopped || s.Stopping {
		t.Errorf("Load: %+v, %v", s, err)
	}
	if all, err := f.b.History().ListOperations(f.ctx, "ann"); err != nil || !slices.ContainsFunc(all, func(r history.Record) bool { return r.ID == "listing" }) {
		t.Errorf("ListOperations: %+v, %v", all, err)
	}
}

// Run runs the node of m until the test ends.
func Run(t *testing.T, m cluster.Member, settle func(ctx context.Context, works []cluster.Adopted)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Cluster().Run(ctx, settle) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}
