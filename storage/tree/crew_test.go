package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// gauge is an FS that knows how many of its batch calls are running.
type gauge struct {
	storage.FS
	now, most atomic.Int64
	enter     func()
}

func (g *gauge) List(ctx context.Context, name string) (storage.Listing, error) {
	return storage.List(ctx, g.FS, name)
}

func (g *gauge) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return storage.Lstat(ctx, g.FS, name)
}

func (g *gauge) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	return g.measured(storage.CopyMembers(ctx, g.FS, c))
}

func (g *gauge) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	if len(members) == 1 { // perhaps storage.Remove
		return storage.RemoveMembers(ctx, g.FS, name, members)
	}
	return g.measured(storage.RemoveMembers(ctx, g.FS, name, members))
}

func (g *gauge) measured(seq iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		now := g.now.Add(1)
		defer g.now.Add(-1)
		for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); {
			most = g.most.Load()
		}
		if g.enter != nil {
			g.enter()
		}
		seq(yield)
	}
}

// wide is a layout of several collections with a few files each.
func wide(root string, collections, files int) layout {
	l := layout{}
	for c := range collections {
		for f := range files {
			l[fmt.Sprintf("%s/%03d/%03d", root, c, f)] = "content"
		}
	}
	return l
}

// The limit holds for all operations together, not for each of them.
func TestWorkersOfAllOperations(t *testing.T) {
	const operations = 8
	fsys, _ := newLocal(t)
	build(t, fsys, wide("/src", 20, 5))
	g := &gauge{FS: fsys, enter: runtime.Gosched}
	engine := tree.Engine{FS: g, Workers: new(tree.Workers)}
	limit := int64(engine.Workers.Limit())
	for _, op := range []struct {
		name string
		run  func(dst string) error
	}{
		{"copy", func(dst string) error { return engine.Copy(t.Context(), "/src", dst, tree.Infinite, nil) }},
		{"remove", func(dst string) error { return engine.Remove(t.Context(), dst, nil) }},
	} {
		g.most.Store(0)
		var wg sync.WaitGroup
		for i := range operations {
			wg.Go(func() {
				if err := op.run(fmt.Sprintf("/dst%d", i)); err != nil {
					t.Errorf("%s: error %v", op.name, err)
				}
			})
		}
		wg.Wait()
		if most := g.most.Load(); most > limit {
			t.Errorf("%s: %d batches at a time, want at most %d", op.name, most, limit)
		}
	}
}

// Two workers of one operation work at the same time: here each waits for the other.
func TestWorkersInParallel(t *testing.T) {
	for _, op := range []string{"copy", "remove"} {
		fsys, _ := newLocal(t)
		build(t, fsys, wide("/src", 2, 2))
		var both sync.WaitGroup
		both.Add(2)
		g := &gauge{FS: fsys, enter: func() {
			both.Done()
			both.Wait()
		}}
		if op == "copy" {
			noError(t, copyTree(t.Context(), g, "/src", "/dst", tree.Infinite, nil))
		} else {
			noError(t, removeTree(t.Context(), g, "/src", nil))
		}
	}
}

// Nothing continues after an operation has returned, whatever ended it. A stop is
// immediate.
func TestWorkersAreWaitedFor(t *testing.T) {
	l := wide("/src", 50, 20)
	for _, end := range []error{syscall.ENOSPC, context.Canceled} {
		for _, op := range []string{"copy", "remove"} {
			t.Run(fmt.Sprintf("%s/%v", op, end), func(t *testing.T) {
				fsys, _ := newLocal(t)
				build(t, fsys, l)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var stopped atomic.Pointer[time.Time]
				fault := &storagetest.Fault{FS: fsys, Before: func(o, name string) error {
					if (makes(o, "open") || o == "remove") && path.Base(name) == "007" && strings.HasPrefix(name, "/src/") {
						now := time.Now()
						stopped.CompareAndSwap(nil, &now)
						if errors.Is(end, context.Canceled) {
							cancel()
							return nil
						}
						return end
					}
					return nil
				}}
				g := &gauge{FS: fault}
				run := func() error { return copyTree(ctx, g, "/src", "/dst", tree.Infinite, nil) }
				if op == "remove" {
					run = func() error { return removeTree(ctx, g, "/src", nil) }
				}
				errorIs(t, run(), end)
				if n := g.now.Load(); n != 0 {
					t.Errorf("%d batches are still under way", n)
				}
				left := snapshot(t, fsys)
				if r := left.reserved(); len(r) > 0 {
					t.Errorf("left: %q", r)
				}
				if op == "copy" && diff(left, l.full()) != "" {
					t.Error("the tree has changed")
				}
				if op == "remove" && len(left) < 900 {
					t.Errorf("%d members left: it went on", len(left))
				}
			})
		}
	}
}

// A collection gets its modification time after its last member, and before the
// collection above gets its own, whichever goroutines set them.
func TestCopyTimesOfCollections(t *testing.T) {
	fsys, _ := newLocal(t)
	l := wide("/src/a", 10, 300)
	build(t, fsys, l)
	past := time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
	for name, what := range l.full() {
		if what == collection {
			noError(t, storage.SetTimes(t.Context(), fsys, name, past))
		}
	}
	noError(t, copyTree(t.Context(), fsys, "/src", "/dst", tree.Infinite, nil))
	for name, what := range snapshot(t, fsys).below("/dst") {
		if what != collection {
			continue
		}
		info, err := fsys.Stat(t.Context(), "/dst"+name)
		noError(t, err)
		if !info.ModTime().Equal(past) {
			t.Errorf("/dst%s: modified %v, want %v", name, info.ModTime(), past)
		}
	}
}

// Failures are sorted by name, whichever worker met them first.
func TestFailuresInOrder(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, wide("/src", 20, 3))
	errBad := errors.New("bad")
	bad := &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
		if makes(op, "open") && path.Base(name) == "001" && strings.Count(name, "/") == 3 {
			return errBad
		}
		return nil
	}}
	var partial *tree.PartialError
	if err := copyTree(t.Context(), bad, "/src", "/dst", tree.Infinite, nil); !errors.As(err, &partial) {
		t.Fatalf("error %v, want a PartialError", err)
	}
	if len(partial.Failures) != 20 {
		t.Errorf("%d failures, want 20", len(partial.Failures))
	}
	for i, f := range partial.Failures {
		if want := fmt.Sprintf("/src/%03d/001", i); f.Name != want {
			t.Errorf("failure %d is %s, want %s", i, f.Name, want)
		}
	}
}

// A collection whose listing breaks after some of its members were copied is not in the
// copy (RFC 4918 §9.8.3).
func TestCopyBrokenStream(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, many("/src/c", 1000))
	build(t, fsys, layout{"/src/f": "1"})
	errBad := errors.New("bad")
	mon := new(tree.Monitor)
	err := copyTree(t.Context(), brokenStream{FS: fsys, name: "/src/c", after: 700, err: errBad}, "/src", "/dst", tree.Infinite, mon)
	failed(t, err, errBad, "/src/c")
	if d := diff(snapshot(t, fsys).below("/dst"), layout{"": collection, "/f": "1"}); d != "" {
		t.Errorf("wrong copy:%s", d)
	}
	if p := mon.Snapshot(); p.Done != p.Known {
		t.Errorf("%d of %d members done", p.Done, p.Known)
	}
}
