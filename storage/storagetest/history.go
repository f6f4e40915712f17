package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage/history"
)

// HistorySuite is the conformance suite for a [history.Store].
type HistorySuite struct {
	// New returns an empty store, a new one at each call.
	New func(t *testing.T) history.Store

	// Reopen, if the store is persistent, closes old and opens it again.
	Reopen func(t *testing.T, old history.Store) history.Store
}

// Run runs each check as a subtest.
func (s HistorySuite) Run(t *testing.T) {
	t.Helper()
	for _, c := range historyChecks {
		t.Run(c.name, func(t *testing.T) {
			f := &historyFixture{Store: s.New(t), t: t, ctx: t.Context()}
			c.run(f)
			f.check()
			if s.Reopen != nil {
				f.Store = s.Reopen(t, f.Store)
				f.check()
			}
		})
	}
}

// historyFixture is a store in a test, and the records that it must contain, in the order in
// which they were added.
type historyFixture struct {
	history.Store
	t    *testing.T
	ctx  context.Context //nolint:containedctx // belongs to the test, which lives as long
	want []history.Record
}

func (f *historyFixture) succeeds(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// save saves records in the store and adds them to want.
func (f *historyFixture) save(records ...history.Record) {
	f.t.Helper()
	f.succeeds(f.SaveOperations(f.ctx, records...))
	for _, r := range records {
		at := slices.IndexFunc(f.want, func(kept history.Record) bool { return kept.ID == r.ID })
		if at < 0 {
			f.want = append(f.want, r)
		} else {
			f.want[at] = r
		}
	}
}

// gone removes the records with ids from want, and checks that the store lacks them.
func (f *historyFixture) gone(ids ...string) {
	f.want = slices.DeleteFunc(f.want, func(r history.Record) bool { return slices.Contains(ids, r.ID) })
	for _, id := range ids {
		if r, err := f.LoadOperation(f.ctx, id); !errors.Is(err, fs.ErrNotExist) {
			f.t.Errorf("%s is %+v, %v", id, r, err)
		}
	}
}

// check compares everything that the store returns with want.
func (f *historyFixture) check() {
	f.t.Helper()
	of := map[string][]history.Record{"nobody": nil}
	var all []history.Record
	for _, r := range slices.Backward(f.want) {
		got, err := f.LoadOperation(f.ctx, r.ID)
		f.succeeds(err)
		if !reflect.DeepEqual(got, r) {
			f.t.Errorf("loaded %+v, want %+v", got, r)
		}
		r.Failures = nil
		all = append(all, r)
		of[r.Principal] = append(of[r.Principal], r)
	}
	got, err := f.AllOperations(f.ctx)
	f.succeeds(err)
	if !reflect.DeepEqual(got, all) {
		f.t.Errorf("all records are %+v, want %+v", got, all)
	}
	for principal, want := range of {
		got, err := f.ListOperations(f.ctx, principal)
		f.succeeds(err)
		if !reflect.DeepEqual(got, want) {
			f.t.Errorf("the records of %q are %+v, want %+v", principal, got, want)
		}
	}
}

// historyStart is the start time of all records.
var historyStart = time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)

// anOperation returns a record of an operation that ended the given number of seconds after
// historyStart. If ended is negative, the operation is still running.
func anOperation(id, principal string, ended int) history.Record {
	r := history.Record{
		ID: id, Principal: principal, Method: "DELETE", Source: "/" + id, Depth: -1,
		State: history.Running, Started: historyStart, Updated: historyStart.Add(time.Microsecond),
	}
	if ended >= 0 {
		r.State, r.Status, r.Ended = history.Finished, 204, historyStart.Add(time.Duration(ended)*time.Second)
	}
	return r
}

var historyChecks = []struct {
	name string
	run  func(f *historyFixture)
}{
	{"empty", func(f *historyFixture) { f.gone("none", "") }},
	{"every field is kept", func(f *historyFixture) {
		f.save(history.Record{
			ID: "id", Principal: "user", Method: "COPY", Source: "/a", Destination: "/b", Depth: -1, Overwrite: true,
			State: history.Stopped, Started: historyStart, Updated: historyStart.Add(time.Second), Ended: historyStart.Add(time.Minute),
			Status: 207, Reason: "why", StoppedBy: history.Administrator, Recovery: "undone",
			Done: 1, Known: 2, Bytes: 3, KnownBytes: 4, Current: "/a/c",
			Failures: []history.Failure{{Name: "/a/x", Status: 507}, {Name: "/a/y", Status: 403}}, FailuresTotal: 5,
		})
	}},
	{"a name can contain any bytes", func(f *historyFixture) {
		for i, name := range []string{"/\xff\xfe", "/%41%", "/a\x00b", "/é e\u0301", "/\u2028<script>'\"\\", "/\ufffd", "/" + string(make([]byte, 1000)), "/" + strings.Repeat("例え", 10_000)} {
			r := anOperation(fmt.Sprint("id", i), name[1:], 1)
			r.Source, r.Destination, r.Current = name, name, name
			r.Failures = []history.Failure{{Name: name, Status: 404}}
			f.save(r)
		}
	}},
	{"a record that is saved again keeps its place", func(f *historyFixture) {
		f.save(anOperation("a", "u", -1), anOperation("b", "u", -1), anOperation("c", "v", -1))
		f.check()
		f.save(anOperation("a", "u", 3))
	}},
	{"changing a record doesn't change the store", func(f *historyFixture) {
		r := anOperation("a", "u", 1)
		r.Failures = []history.Failure{{Name: "/a/x", Status: 507}}
		f.save(r)
		f.want[0].Failures = slices.Clone(r.Failures)
		r.Failures[0].Status = 1
		got, err := f.LoadOperation(f.ctx, "a")
		f.succeeds(err)
		got.Failures[0].Status = 2
	}},
	{"delete", func(f *historyFixture) {
		f.save(anOperation("a", "u", 1), anOperation("b", "u", -1))
		f.succeeds(f.DeleteOperation(f.ctx, "a"))
		f.succeeds(f.DeleteOperation(f.ctx, "none"))
		f.gone("a")
	}},
	{"trim removes the oldest records", func(f *historyFixture) {
		f.save(anOperation("old", "u", 1), anOperation("new", "u", 2), anOperation("running", "u", -1))
		f.succeeds(f.TrimOperations(f.ctx, history.Limits{Since: historyStart.Add(2 * time.Second), PerPrincipal: 9, Total: 9}))
		f.gone("old")
	}},
	{"trim limits the number, not counting running operations", func(f *historyFixture) {
		f.save(anOperation("u0", "u", -1))
		for i := range 4 {
			f.save(anOperation(fmt.Sprint("v", i), "v", i), anOperation(fmt.Sprint("u", i+1), "u", i))
		}
		f.succeeds(f.TrimOperations(f.ctx, history.Limits{PerPrincipal: 3, Total: 9}))
		f.gone("u1", "v0")
		f.check()
		f.succeeds(f.TrimOperations(f.ctx, history.Limits{PerPrincipal: 3, Total: 4}))
		f.gone("v1", "u2")
	}},
	{"cancelled context", func(f *historyFixture) {
		f.save(anOperation("a", "u", 1))
		ctx, cancel := context.WithCancel(f.ctx)
		cancel()
		for _, err := range []error{
			f.SaveOperations(ctx, anOperation("a", "u", 2), anOperation("b", "u", 2)), f.DeleteOperation(ctx, "a"),
			f.TrimOperations(ctx, history.Limits{}),
		} {
			if !errors.Is(err, context.Canceled) {
				f.t.Errorf("error %v, want context.Canceled", err)
			}
		}
	}},
	{"concurrent calls", func(f *historyFixture) {
		var running sync.WaitGroup
		errs := make(chan error, 100)
		for i := range 20 {
			running.Go(func() {
				id := fmt.Sprint("id", i)
				errs <- f.SaveOperations(f.ctx, anOperation(id, "u", -1))
				_, err := f.ListOperations(f.ctx, "u")
				errs <- errors.Join(err, f.SaveOperations(f.ctx, anOperation(id, "u", i)))
			})
		}
		running.Wait()
		close(errs)
		for err := range errs {
			f.succeeds(err)
		}
		list, err := f.AllOperations(f.ctx)
		f.succeeds(err)
		if len(list) != 20 {
			f.t.Errorf("%d records, want 20", len(list))
		}
		slices.Reverse(list)
		f.want = list
	}},
}
