package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/sweep"
	"github.com/davd/davd/storage/tree"
)

// sweepSource is small, because each of its calls costs a run.
var sweepSource = layout{"/src/f": "one", "/src/d/g": "three"}

// An operation is one where every call of the backend is made to fail in turn.
type operation struct {
	name string
	run  func(ctx context.Context, fsys storage.FS) error
	// want is the tree after success.
	want func(was layout) layout
	// of makes the backend unable to rename.
	of func(fsys storage.FS) storage.FS
	// rebuilds says that the destination must be removed first.
	rebuilds bool
}

func operations() []operation {
	copied := func(was layout) layout { return was.replaced("/src", "/dst") }
	ops := []operation{{
		name: "remove",
		run:  func(ctx context.Context, fsys storage.FS) error { return removeTree(ctx, fsys, "/src", nil) },
		want: func(was layout) layout { return was.without("/src") },
		of:   renamings[0].of,
	}}
	for i, renaming := range renamings {
		if i != 1 { // For a copy this is the same as another one.
			ops = append(ops, operation{
				name: "copy, " + renaming.name,
				run: func(ctx context.Context, fsys storage.FS) error {
					return copyTree(ctx, fsys, "/src", "/dst", tree.Infinite, nil)
				},
				want: copied, of: renaming.of, rebuilds: i == 2 || i == 3,
			})
		}
		ops = append(ops, operation{
			name: "move, " + renaming.name,
			run:  func(ctx context.Context, fsys storage.FS) error { return moveTree(ctx, fsys, "/src", "/dst", nil) },
			want: func(was layout) layout { return copied(was).without("/src") },
			of:   renaming.of, rebuilds: i == 2 || i == 3,
		})
	}
	return append(ops, operation{
		name: "remove, whole trees",
		run:  func(ctx context.Context, fsys storage.FS) error { return removeTree(ctx, fsys, "/src", nil) },
		want: func(was layout) layout { return was.without("/src") },
		of:   wholeTrees,
	}, operation{
		name: "copy, whole trees",
		run: func(ctx context.Context, fsys storage.FS) error {
			return copyTree(ctx, fsys, "/src", "/dst", tree.Infinite, nil)
		},
		want: copied, of: wholeTrees,
	}, operation{
		name: "move, whole trees",
		run:  func(ctx context.Context, fsys storage.FS) error { return moveTree(ctx, fsys, "/src", "/dst", nil) },
		want: func(was layout) layout { return copied(was).without("/src") },
		of:   wholeTrees,
	})
}

// wholeTrees returns fsys as a storage that copies and removes whole trees, each in one call that
// can fail.
func wholeTrees(fsys storage.FS) storage.FS {
	if fault, ok := fsys.(*storagetest.Fault); ok {
		return &storagetest.Fault{FS: storagetest.WholeTrees(fault.FS), Before: fault.Before}
	}
	return storagetest.WholeTrees(fsys)
}

// trial is one run of an operation.
type trial struct {
	operation
	was, is layout
	err     error
}

// try runs op on a new share of the backend and calls before with the number of each
// call. It returns how many calls there were.
func (op operation) try(t *testing.T, ctx context.Context, open func(testing.TB) storage.FS, old layout, before func(n int) error) (trial, int) {
	t.Helper()
	fsys := open(t)
	build(t, fsys, sweepSource)
	build(t, fsys, old)
	was := snapshot(t, fsys)
	var n atomic.Int64
	err := op.run(ctx, op.of(&storagetest.Fault{FS: fsys, Before: func(string, string) error {
		return before(int(n.Add(1)))
	}}))
	return trial{operation: op, was: was, is: snapshot(t, fsys), err: err}, int(n.Load())
}

// problem says which promise was broken; "" if none was.
func (r trial) problem() string {
	partial, leftover := (*tree.PartialError)(nil), (*tree.LeftoverError)(nil)
	want := r.want(r.was)
	switch {
	case r.err == nil:
		return told("success", diff(r.is, want))
	case errors.As(r.err, &leftover):
		if d := diff(r.is.without(leftover.Name), want); d != "" {
			return told("done but for the leftover", d)
		}
		if _, there := r.is[leftover.Name]; !there {
			return "the leftover is not where it says"
		}
		return ""
	case strings.Contains(r.err.Error(), "the previous content of /dst is now at /.davd-"):
		// This is a second fault, after the EXDEV of the rename.
		return r.whole()
	case len(r.is.reserved()) > 0:
		return fmt.Sprintf("%q left", r.is.reserved())
	case errors.As(r.err, &partial):
		return r.partial(partial)
	case strings.HasPrefix(r.name, "remove"):
		return r.removed(nil)
	}
	return r.undone()
}

// undone says what has changed.
func (r trial) undone() string {
	d := diff(r.is, r.was)
	if d == "" || r.rebuilds && diff(r.is.without("/dst"), r.was.without("/dst")) == "" {
		return ""
	}
	return told("failure", d)
}

// partial says how the result breaks the promises of a PartialError.
func (r trial) partial(partial *tree.PartialError) string {
	named := map[string]bool{}
	for _, f := range partial.Failures {
		named[f.Name] = true
		if storage.Reserved(f.Name) {
			return "a reserved name is named: " + f.Name
		}
		if f.Name != "/src" && r.was[f.Name] == "" {
			return "a member that never existed is named: " + f.Name
		}
	}
	switch {
	case strings.HasPrefix(r.name, "remove"):
		return r.removed(named)
	case strings.HasPrefix(r.name, "copy"):
		if d := diff(r.is.without("/dst"), r.was.without("/dst")); d != "" {
			return told("outside the destination", d)
		}
		return r.complete(named)
	}
	if diff(r.is, r.was) == "" {
		return ""
	}
	if problem := r.complete(nil); problem != "" {
		return problem
	}
	return r.removed(named)
}

// complete says which members of the source are missing at the destination, except
// those that are named and those below them.
func (r trial) complete(named map[string]bool) string {
	got, want := r.is.below("/dst"), r.was.below("/src")
	for name := range named {
		below := strings.TrimPrefix(name, "/src")
		got, want = got.without(below), want.without(below)
	}
	return told("destination", diff(got, want))
}

// removed says which members of the source are neither unchanged nor gone. With named,
// it also says which are still there although neither they, nor a member above or below
// them, are named.
func (r trial) removed(named map[string]bool) string {
	if d := diff(r.is.without("/src").without("/dst"), r.was.without("/src").without("/dst")); d != "" {
		return told("outside", d)
	}
	for name, what := range r.is.below("/src") {
		name = "/src" + name
		if r.was[name] != what {
			return name + " has changed"
		}
		if name != "/src" && r.is[name[:strings.LastIndexByte(name, '/')]] != collection {
			return name + " lost its collection"
		}
		if named == nil {
			continue
		}
		excused := false
		for f := range named {
			excused = excused || storage.Overlap(f, name)
		}
		if !excused {
			return name + " is still there"
		}
	}
	return ""
}

// whole says what was lost of the old tree at the destination, of the new one and of
// the source, wherever they are now. That none of them is lost is the least that is
// promised.
func (r trial) whole() string {
	partial := (*tree.PartialError)(nil)
	failed := map[string]bool{}
	if errors.As(r.err, &partial) {
		for _, f := range partial.Failures {
			failed[f.Name] = true
		}
	}
	if strings.HasPrefix(r.name, "remove") {
		return r.removed(nil)
	}
	old, fresh := r.was.below("/dst"), r.was.below("/src")
	oldWhole, freshWhole := len(old) == 0, false
	for name := range r.is {
		if strings.Count(name, "/") > 1 {
			continue
		}
		at := r.is.below(name)
		if name == "/dst" || storage.Reserved(name) {
			oldWhole = oldWhole || diff(at, old) == ""
		}
		freshWhole = freshWhole || diff(at, fresh) == ""
	}
	switch {
	case !freshWhole:
		return told("the source is lost", diff(r.is.below("/src"), fresh))
	case oldWhole, r.rebuilds, diff(r.is.below("/dst"), fresh) == "":
		return ""
	case strings.HasPrefix(r.name, "copy") && r.complete(failed) == "":
		return ""
	}
	return told("the destination is lost", diff(r.is, r.was))
}

func told(what, diff string) string {
	if diff == "" {
		return ""
	}
	return what + ":" + diff
}

// sweepAll runs each operation on each backend and destination. In each run, a different
// call is the n-th that f is asked about.
func sweepAll(t *testing.T, f func(t *testing.T, try func(ctx context.Context, before func(n int) error) trial, calls int)) {
	t.Helper()
	for _, backend := range backends[:2] {
		if testing.Short() && backend.name == "local" {
			continue // It takes ten seconds.
		}
		for _, op := range operations() {
			for _, d := range destinations {
				if strings.HasPrefix(op.name, "remove") && len(d.old) > 0 {
					continue
				}
				name, _, _ := strings.Cut(d.name, " [")
				t.Run(backend.name+"/"+op.name+"/onto "+name, func(t *testing.T) {
					t.Parallel()
					_, calls := op.try(t, t.Context(), backend.open, d.old, func(int) error { return nil })
					f(t, func(ctx context.Context, before func(n int) error) trial {
						r, _ := op.try(t, ctx, backend.open, d.old, before)
						return r
					}, calls)
				})
			}
		}
	}
}

// sweepErrors are the errors of failing calls: each call with all of them or,
// where that takes long, with one of them in turn.
func sweepErrors(t *testing.T, call int) []error {
	t.Helper()
	all := []error{syscall.EIO, syscall.ENOSPC, fs.ErrPermission}
	if strings.Contains(t.Name(), "/local/") {
		return all[call%3:][:1]
	}
	return all
}

func TestEachCallFails(t *testing.T) {
	t.Parallel()
	sweepFaults(t, "at", func(call, n int) bool { return call == n }, trial.problem)
}

func TestBackendIsLost(t *testing.T) {
	t.Parallel()
	sweepFaults(t, "from", func(call, n int) bool { return call >= n }, trial.whole)
}

// sweepFaults tries, for each n, to let the calls fail for which fails returns true.
func sweepFaults(t *testing.T, when string, fails func(call, n int) bool, problem func(trial) string) {
	t.Helper()
	sweepAll(t, func(t *testing.T, try func(context.Context, func(int) error) trial, calls int) {
		t.Helper()
		for _, n := range sweep.Steps(t, calls, 4) {
			for _, err := range sweepErrors(t, n) {
				r := try(t.Context(), func(i int) error {
					if fails(i, n) {
						return err
					}
					return nil
				})
				if p := problem(r); p != "" {
					t.Errorf("%v %s call %d of %d: error %v: %s", err, when, n, calls, r.err, p)
				}
			}
		}
	})
}

func TestCtxEndsAtEachCall(t *testing.T) {
	t.Parallel()
	sweepAll(t, func(t *testing.T, try func(context.Context, func(int) error) trial, calls int) {
		t.Helper()
		for _, n := range sweep.Steps(t, calls, 4) {
			ctx, cancel := context.WithCancel(t.Context())
			r := try(ctx, func(i int) error {
				if i == n {
					cancel()
				}
				return nil
			})
			cancel()
			if r.err != nil && !errors.Is(r.err, context.Canceled) {
				t.Errorf("at call %d of %d: error %v", n, calls, r.err)
			}
			r.rebuilds = false
			if p := r.problem(); p != "" {
				t.Errorf("at call %d of %d: error %v: %s", n, calls, r.err, p)
			}
		}
	})
}

// The checks of a sweep must be able to fail.
func TestSweepChecks(t *testing.T) {
	was := sweepSource.full().with("", layout{"/dst": "old"})
	done := was.replaced("/src", "/dst")
	changed := maps.Clone(done)
	changed["/dst/f"] = "half"
	ops := operations()
	for name, r := range map[string]trial{
		"success that did nothing": {operation: ops[1], was: was, is: was},
		"failure that did it":      {operation: ops[1], was: was, is: done, err: syscall.EIO},
		"half a file":              {operation: ops[1], was: was, is: changed, err: &tree.PartialError{Failures: []tree.Outcome{{Name: "/src/d"}}}},
		"a remainder":              {operation: ops[1], was: was, is: was.with("/.davd-x", layout{"": "half"}), err: syscall.EIO},
		"source kept":              {operation: ops[2], was: was, is: done},
		"source lost":              {operation: ops[2], was: was, is: was.without("/src"), err: syscall.EIO},
		"member kept":              {operation: ops[0], was: was, is: was, err: &tree.PartialError{Failures: []tree.Outcome{{Name: "/src/f"}}}},
	} {
		if r.problem() == "" {
			t.Errorf("%s: not seen", name)
		}
	}
	for name, r := range map[string]trial{
		"source lost":      {operation: ops[2], was: was, is: was.without("/src"), err: syscall.EIO},
		"destination lost": {operation: ops[1], was: was, is: was.without("/dst"), err: syscall.EIO},
	} {
		if r.whole() == "" {
			t.Errorf("%s: not seen", name)
		}
	}
}
