package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// slow is how long each call of slow storage takes.
const slow = 20 * time.Millisecond

// watching records what a reader has seen that looked at a Monitor all the time.
type watching struct {
	final  time.Duration // when the total was first final; less than 0 if it never was
	known  int64         // the total at that time
	last   tree.Progress
	errors []string
}

// look records what mon says at that age of the operation.
func (w *watching) look(mon *tree.Monitor, age time.Duration) {
	p := mon.Snapshot()
	if p.Done < w.last.Done || p.Known < w.last.Known || p.Bytes < w.last.Bytes || p.KnownBytes < w.last.KnownBytes || w.last.Final && !p.Final {
		w.errors = append(w.errors, fmt.Sprintf("%+v after %+v", p, w.last))
	}
	if p.Known > 0 && p.Done > p.Known || p.Bytes > p.KnownBytes {
		w.errors = append(w.errors, fmt.Sprintf("%+v: more than is known", p))
	}
	if p.Final && w.final < 0 {
		w.final, w.known = age, p.Known
	}
	w.last = p
}

// watched runs an operation and looks at it every 5 ms of a synctest bubble's time,
// from the age first on.
func watched(t *testing.T, first time.Duration, run func(mon *tree.Monitor) error) (watching, time.Duration, error) {
	t.Helper()
	mon := new(tree.Monitor)
	w := watching{final: -1}
	start := time.Now()
	ended := make(chan error)
	go func() { ended <- run(mon) }()
	pause := time.NewTimer(first)
	for {
		select {
		case err := <-ended:
			took := time.Since(start)
			w.look(mon, took)
			for _, e := range w.errors {
				t.Error(e)
			}
			return w, took, err
		case <-pause.C:
			w.look(mon, time.Since(start))
			pause.Reset(5 * time.Millisecond)
		}
	}
}

// shapes are trees that let a count and the walker beside it meet in different ways.
func shapes() map[string]layout {
	deep := layout{}
	for name, i := "/src", 0; i < 30; i++ {
		name += "/d"
		deep[name+"/f"] = "content"
	}
	uneven := wide("/src/a", 1, 3)
	for name, what := range wide("/src/z/z", 20, 10) {
		uneven[name] = what
	}
	empty := layout{}
	for i := range 40 {
		empty[fmt.Sprintf("/src/%02d", i)] = collection
	}
	mixed := wide("/src", 12, 5)
	for name, what := range many("/src/flat", 150) {
		mixed[name] = what
	}
	return map[string]layout{
		"wide": wide("/src", 20, 11), "flat": many("/src", 200), "deep": deep, "uneven": uneven, "empty collections": empty,
		"mixed": mixed, "a file": {"/src": "content"}, "an empty collection": {"/src": collection},
	}
}

// counts are the operations on /src that are tried.
var counts = []struct {
	name string
	// of returns how many members the operation has to do, from the numbers at and
	// below /src and /dst.
	of  func(src, dst int64) int64
	run func(ctx context.Context, fsys storage.FS, mon *tree.Monitor) error
}{
	{"COPY", func(src, dst int64) int64 { return src + dst }, func(ctx context.Context, fsys storage.FS, mon *tree.Monitor) error {
		return copyTree(ctx, fsys, "/src", "/dst", tree.Infinite, mon)
	}},
	{"MOVE by copying", func(src, dst int64) int64 { return 2*src + dst }, func(ctx context.Context, fsys storage.FS, mon *tree.Monitor) error {
		return moveTree(ctx, unmovable(fsys), "/src", "/dst", mon)
	}},
	{"MOVE by renaming", func(_, dst int64) int64 { return 1 + dst }, func(ctx context.Context, fsys storage.FS, mon *tree.Monitor) error {
		return moveTree(ctx, fsys, "/src", "/dst", mon)
	}},
	{"DELETE", func(src, _ int64) int64 { return src }, func(ctx context.Context, fsys storage.FS, mon *tree.Monitor) error {
		return removeTree(ctx, fsys, "/src", mon)
	}},
	{"PROPFIND", func(src, _ int64) int64 { return src }, func(ctx context.Context, fsys storage.FS, mon *tree.Monitor) error {
		return visit(ctx, fsys, "/src", tree.Infinite, mon, func(tree.Member) error { return nil })
	}},
}

// unmovable returns fsys with /src on a filesystem of its own.
func unmovable(fsys storage.FS) storage.FS {
	return unrenaming(fsys, syscall.EXDEV, func(_, name string) bool { return name == "/src" })
}

// TestTotal: once the total is final it is right, for any tree and whenever the count
// has begun. At the end everything is done.
func TestTotal(t *testing.T) {
	displaced := wide("/dst", 5, 6)
	for shape, l := range shapes() {
		for _, op := range counts {
			for _, onto := range []layout{{}, displaced, {"/dst": "a file"}} {
				for _, at := range []struct{ delay, first time.Duration }{
					{time.Millisecond, 0}, {slow, 0}, {slow, 317 * time.Millisecond}, {slow, time.Minute},
				} {
					name := fmt.Sprintf("%s/%s onto %d/each call %v/looked at after %v", op.name, shape, len(onto), at.delay, at.first)
					t.Run(name, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { total(t, l, onto, op.of, at.delay, at.first, op.run) })
					})
				}
			}
		}
	}
}

func total(
	t *testing.T, l, onto layout, of func(src, dst int64) int64, delay, first time.Duration,
	run func(ctx context.Context, fsys storage.FS, mon *tree.Monitor) error,
) {
	t.Helper()
	fsys := aferofs.New(afero.NewMemMapFs())
	build(t, fsys, l)
	build(t, fsys, onto)
	src, dst := int64(len(l.full().below("/src"))), int64(len(onto.full().below("/dst")))
	if _, file := l["/src"]; file && l["/src"] != collection && onto["/dst"] != "" {
		dst = 0 // One rename replaces a file by a file.
	}
	w, _, err := watched(t, first, func(mon *tree.Monitor) error {
		return run(t.Context(), latency.New(fsys, delay), mon)
	})
	noError(t, err)
	want := of(src, dst)
	if w.last.Done != want || w.last.Known != want || !w.last.Final || w.last.Bytes != w.last.KnownBytes {
		t.Errorf("at the end %+v, want %d members", w.last, want)
	}
	if w.known != want {
		t.Errorf("the total that was final was %d, want %d", w.known, want)
	}
}

// TestTotalOfDisplaced: the total is right if the destination is replaced before its
// previous content was counted, or while it is being counted.
func TestTotalOfDisplaced(t *testing.T) {
	displaced := wide("/dst", 20, 30)
	for _, op := range counts[:2] {
		for files := 1; files < 40; files += 3 {
			t.Run(fmt.Sprintf("%s/%d files", op.name, files), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { total(t, many("/src", files), displaced, op.of, slow, 0, op.run) })
			})
		}
	}
}

// TestTotalIsEarly: the total is final within the first third of the time. It usually takes
// an eighth; the exact time depends on the order of the helpers' turns.
func TestTotalIsEarly(t *testing.T) {
	for shape, l := range map[string]layout{"wide": wide("/src", 44, 49), "flat": many("/src", 2000)} {
		for _, op := range counts[:4] {
			if op.name == "MOVE by renaming" {
				continue
			}
			for _, first := range []time.Duration{0, 1500 * time.Millisecond} {
				t.Run(fmt.Sprintf("%s/%s/looked at after %v", op.name, shape, first), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						fsys := aferofs.New(afero.NewMemMapFs())
						build(t, fsys, l)
						w, took, err := watched(t, first, func(mon *tree.Monitor) error {
							return op.run(t.Context(), latency.New(fsys, slow), mon)
						})
						noError(t, err)
						if took < 20*time.Second || w.final > took/3 {
							t.Errorf("final after %v of %v", w.final, took)
						}
					})
				})
			}
		}
	}
}

// listings counts how often collections are listed.
type listings struct {
	storage.FS
	number atomic.Int64
}

func (l *listings) List(ctx context.Context, name string) (storage.Listing, error) {
	l.number.Add(1)
	return storage.List(ctx, l.FS, name)
}

func (l *listings) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return storage.Lstat(ctx, l.FS, name)
}

// TestCountOnlyLong: a watched operation that ends soon lists as often as one without a
// Monitor.
func TestCountOnlyLong(t *testing.T) {
	for _, op := range counts[:4] {
		var number [2]int64
		for i, mon := range []*tree.Monitor{nil, watchedMonitor()} {
			mon.Snapshot()
			synctest.Test(t, func(t *testing.T) {
				fsys := &listings{FS: aferofs.New(afero.NewMemMapFs())}
				build(t, fsys, wide("/src", 30, 2))
				build(t, fsys, wide("/dst", 3, 2))
				noError(t, op.run(t.Context(), fsys, mon))
				time.Sleep(time.Hour) // no count begins afterwards
				number[i] = fsys.number.Load()
			})
		}
		if number[0] != number[1] || number[0] == 0 {
			t.Errorf("%s: %d listings with a Monitor, %d without", op.name, number[1], number[0])
		}
	}
}

// TestCountUnwatched: the total becomes final even if no reader looks at the Monitor.
func TestCountUnwatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := aferofs.New(afero.NewMemMapFs())
		build(t, fsys, wide("/src", 50, 10))
		mon := new(tree.Monitor)
		ended := make(chan error)
		go func() {
			ended <- removeTree(t.Context(), latency.New(fsys, slow), "/src", mon)
		}()
		time.Sleep(5 * time.Second)
		if p := mon.Snapshot(); !p.Final || p.Known != 551 || p.Done > 350 {
			t.Errorf("after 5 s %+v, want 551 members", p)
		}
		noError(t, <-ended)
	})
}

// TestTotalOfWhatChanges: members that vanish between count and walk are skipped, those
// that appear are added, and at the end everything is done.
func TestTotalOfWhatChanges(t *testing.T) {
	for _, op := range counts[:4] {
		if op.name == "MOVE by renaming" {
			continue
		}
		t.Run(op.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := aferofs.New(afero.NewMemMapFs())
				build(t, fsys, wide("/src", 30, 9))
				const all = 1 + 30 + 30*9
				go func() {
					time.Sleep(3 * time.Second)
					for c := range 30 {
						name := fmt.Sprintf("/src/%03d", c)
						switch c % 3 {
						case 0:
							_ = fsys.RemoveAll(context.Background(), name+"/003")
						case 1:
							_ = fsys.RemoveAll(context.Background(), name)
						default:
							_ = fsys.Mkdir(context.Background(), name+"/new", 0o777)
							_ = fsys.Mkdir(context.Background(), name+"/new/new", 0o777)
						}
					}
				}()
				w, _, err := watched(t, 0, func(mon *tree.Monitor) error {
					return op.run(t.Context(), latency.New(fsys, slow), mon)
				})
				// A MOVE does not remove members that it has not copied.
				if partial := (*tree.PartialError)(nil); err != nil && !errors.As(err, &partial) {
					t.Error(err)
				}
				if w.final > 3*time.Second || w.known%all != 0 {
					t.Errorf("a total of %d after %v, want %d before the change", w.known, w.final, all)
				}
				if w.last.Done != w.last.Known || w.last.Known <= w.known {
					t.Errorf("%+v at the end, the total was %d", w.last, w.known)
				}
			})
		})
	}
}

// TestTotalOfLinks: a link is copied as its target or as a link, or is left out; it is
// removed as a link. Members that no client sees are also removed.
func TestTotalOfLinks(t *testing.T) {
	const (
		plain   = 1 + 20 + 20*6         // neither links nor special files
		copied  = plain + 10*(1+30+1)   // with the targets of two links each
		linked  = plain + 10*4          // with links as links
		removed = plain + 10*(4+1+1+1)  // with FIFOs and reserved names
		moved   = copied + removed - 10 // without the links that are loops
	)
	for _, c := range []struct {
		op, name string
		links    bool
		want     int64
	}{
		{"COPY", "/src", false, copied + 10}, // The loops are not entered.
		{"COPY", "/src", true, linked},
		{"COPY", "/link to src", false, copied + 10},
		{"COPY", "/link to src", true, linked},
		{"MOVE", "/src", false, moved},
		{"MOVE", "/src", true, linked + removed},
		{"MOVE", "/link to src", false, copied + 1},
		{"MOVE", "/link to src", true, linked + 1},
		{"DELETE", "/src", false, removed},
		{"DELETE", "/link to src", false, 1},
	} {
		t.Run(fmt.Sprintf("%s %s/links: %t", c.op, c.name, c.links), func(t *testing.T) {
			totalOfLinks(t, c.op, c.name, c.links, c.want)
		})
	}
}

func totalOfLinks(t *testing.T, op, name string, links bool, want int64) {
	t.Helper()
	fsys, dir := newLocal(t)
	build(t, fsys, wide("/src", 20, 6))
	build(t, fsys, many("/target", 30))
	for i := range 10 {
		in := fmt.Sprintf("src/%03d", i)
		symlink(t, dir, in+"/to a collection", "../../target")
		symlink(t, dir, in+"/to a file", "000")
		symlink(t, dir, in+"/to nowhere", "nothing")
		if op != "MOVE" || links {
			symlink(t, dir, in+"/to itself", ".")
		}
		mkfifo(t, dir, in+"/fifo")
		noError(t, os.Mkdir(filepath.Join(dir, in, ".davd-left"), 0o755))
		noError(t, os.WriteFile(filepath.Join(dir, in, ".davd-left", "f"), nil, 0o600))
	}
	symlink(t, dir, "link to src", "src")
	engine := tree.Engine{CopyLinks: links}
	synctest.Test(t, func(t *testing.T) {
		engine.FS = latency.New(unrenaming(fsys, syscall.EXDEV, func(_, from string) bool { return from == name }), slow)
		w, _, err := watched(t, 0, func(mon *tree.Monitor) error {
			switch op {
			case "COPY":
				return engine.Copy(t.Context(), name, "/dst", tree.Infinite, mon)
			case "MOVE":
				return engine.Move(t.Context(), name, "/dst", mon)
			}
			return engine.Remove(t.Context(), name, mon)
		})
		if partial := (*tree.PartialError)(nil); err != nil && !errors.As(err, &partial) {
			t.Error(err)
		}
		if w.last.Done != want || w.last.Known != want || w.last.Bytes != w.last.KnownBytes {
			t.Errorf("%+v at the end, want %d members", w.last, want)
		}
		below := int64(0)
		if op == "MOVE" && name == "/src" {
			below = 10 // Members below a reserved name are found when they are removed.
		}
		if w.known != want-below {
			t.Errorf("the total after %v was %d, want %d", w.final, w.known, want-below)
		}
	})
}

// TestStopCounts: members that were not reached when the context ended are not done,
// nor is the collection that was being listed.
func TestStopCounts(t *testing.T) {
	for _, op := range counts[:4] {
		if op.name == "MOVE by renaming" {
			continue
		}
		for shape, l := range map[string]layout{"flat": many("/src", 60), "wide": wide("/src", 40, 8)} {
			for _, after := range []time.Duration{300 * time.Millisecond, 910 * time.Millisecond, 2130 * time.Millisecond} {
				t.Run(fmt.Sprintf("%s/%s/%v", op.name, shape, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { stopped(t, l, op.name == "DELETE", after, op.run) })
				})
			}
		}
	}
}

func stopped(t *testing.T, l layout, removes bool, after time.Duration, run func(ctx context.Context, fsys storage.FS, mon *tree.Monitor) error) {
	t.Helper()
	memory := aferofs.New(afero.NewMemMapFs())
	build(t, memory, l)
	var copied atomic.Int64
	fsys := &storagetest.Fault{FS: memory, Before: func(op, name string) error {
		if (makes(op, "open") || op == "mkdir") && storage.Reserved(name) {
			copied.Add(1)
		}
		return nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	var mon *tree.Monitor
	w, _, err := watched(t, 0, func(m *tree.Monitor) error {
		mon = m
		return run(ctx, latency.New(fsys, slow), m)
	})
	errorIs(t, err, context.DeadlineExceeded)
	p := mon.Snapshot()
	if p != w.last {
		t.Errorf("%+v after %+v", p, w.last)
	}
	left := int64(len(snapshot(t, memory).below("/src")))
	all := int64(len(l.full().below("/src")))
	if removes && p.Done != all-left {
		t.Errorf("%d done, %d of %d are gone", p.Done, all-left, all)
	}
	if !removes && (p.Done > copied.Load() || left != all) {
		t.Errorf("%d done, %d begun; %d of %d left", p.Done, copied.Load(), left, all)
	}
}

// TestCountEnds: the count ends with the operation, however long it would still have
// taken.
func TestCountEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := aferofs.New(afero.NewMemMapFs())
		build(t, fsys, wide("/src", 400, 2))
		ctx, cancel := context.WithCancel(t.Context())
		g := &gauge{FS: fsys, enter: func() {
			time.Sleep(time.Minute)
			cancel()
		}}
		start := time.Now()
		errorIs(t, copyTree(ctx, g, "/src", "/dst", tree.Infinite, watchedMonitor()), context.Canceled)
		if took := time.Since(start); took > time.Minute+100*time.Millisecond {
			t.Errorf("stopped %v after the end of ctx", took-time.Minute)
		}
		if _, err := fsys.Stat(t.Context(), "/dst"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("something was copied: %v", err)
		}
	})
}

// TestCountPanics: a panic of the storage in the count does no harm.
func TestCountPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := aferofs.New(afero.NewMemMapFs())
		build(t, fsys, wide("/src", 20, 10))
		var seen atomic.Int64
		bad := &storagetest.Fault{FS: latency.New(fsys, slow), Before: func(op, name string) error {
			if op == "readdir" && path.Base(name) == "019" && seen.Add(1) == 1 {
				panic("bad storage")
			}
			return nil
		}}
		w, _, err := watched(t, 0, func(mon *tree.Monitor) error { return removeTree(t.Context(), bad, "/src", mon) })
		noError(t, err)
		if w.last.Done != 221 || w.last.Known != 221 || seen.Load() < 2 {
			t.Errorf("%+v at the end, after %d listings", w.last, seen.Load())
		}
	})
}
