package tree_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

func TestMonitorNil(t *testing.T) {
	var mon *tree.Monitor
	mon.Found(1, 2)
	mon.Begin("/a")
	mon.Wrote(3)
	mon.Advance()
	mon.Resolve("/a", nil)
	if p := mon.Snapshot(); p != (tree.Progress{}) {
		t.Errorf("progress %+v", p)
	}
	if o := mon.Subscribe().Take(); len(o) > 0 {
		t.Errorf("outcomes %v", o)
	}
}

func TestMonitorCounts(t *testing.T) {
	mon := new(tree.Monitor)
	steps := []struct {
		name string
		do   func()
		want tree.Progress
	}{
		{"nothing known", func() {}, tree.Progress{}},
		{"done while no number is known", func() { mon.Resolve("/a", nil) }, tree.Progress{Done: 1, Current: "/a"}},
		{"found", func() { mon.Found(3, 10) }, tree.Progress{Done: 1, Known: 3, KnownBytes: 10, Final: true, Current: "/a"}},
		{"begun", func() { mon.Begin("/b") }, tree.Progress{Done: 1, Known: 3, KnownBytes: 10, Final: true, Current: "/b"}},
		{"written", func() { mon.Wrote(4) }, tree.Progress{Done: 1, Known: 3, Bytes: 4, KnownBytes: 10, Final: true, Current: "/b"}},
		{"failed", func() { mon.Resolve("/c", errors.New("bad")) }, tree.Progress{Done: 2, Known: 3, Bytes: 4, KnownBytes: 10, Final: true, Current: "/c"}},
		{"advanced", func() { mon.Advance() }, tree.Progress{Done: 3, Known: 3, Bytes: 4, KnownBytes: 10, Final: true, Current: "/c"}},
		{"one more than known", func() { mon.Advance() }, tree.Progress{Done: 4, Known: 4, Bytes: 4, KnownBytes: 10, Final: true, Current: "/c"}},
		{"a file that has grown", func() { mon.Wrote(9) }, tree.Progress{Done: 4, Known: 4, Bytes: 13, KnownBytes: 13, Final: true, Current: "/c"}},
	}
	for _, s := range steps {
		s.do()
		if p := mon.Snapshot(); p != s.want {
			t.Errorf("%s: progress %+v, want %+v", s.name, p, s.want)
		}
	}
	if o := mon.Subscribe().Take(); len(o) != 1 || o[0].Name != "/c" {
		t.Errorf("outcomes %v were kept unasked, want the failure", o)
	}
}

func TestMonitorOutcomes(t *testing.T) {
	const few = 100
	errBad := errors.New("bad")
	mon, taken := recorded()
	for i := range 1000 {
		mon.Resolve(fmt.Sprintf("/done/%04d", i), nil)
		mon.Resolve(fmt.Sprintf("/failed/%04d", i), errBad)
	}
	outcomes := taken.Take()
	if len(outcomes) > few {
		t.Errorf("%d outcomes at once", len(outcomes))
	}
	firstDone := slices.IndexFunc(outcomes, func(o tree.Outcome) bool { return o.Err == nil })
	if firstDone < 1 {
		t.Fatalf("first success at %d of %d, want it after failures", firstDone, len(outcomes))
	}
	failures, successes := outcomes[:firstDone], outcomes[firstDone:]
	byName := func(a, b tree.Outcome) int { return slices.Compare([]string{a.Name}, []string{b.Name}) }
	if failures[0].Name != "/failed/0000" || !slices.IsSortedFunc(failures, byName) {
		t.Errorf("failures %v, want the first ones in order", failures)
	}
	if successes[len(successes)-1].Name != "/done/0999" || !slices.IsSortedFunc(successes, byName) {
		t.Errorf("successes %v, want the last ones in order", successes)
	}
	for _, o := range failures {
		if !errors.Is(o.Err, errBad) {
			t.Errorf("failure %v after a success", o)
		}
	}
	if again := taken.Take(); len(again) > 0 {
		t.Errorf("taken twice: %v", again)
	}
	mon.Resolve("/late", nil)
	if o := taken.Take(); !slices.Equal(o, []tree.Outcome{{Name: "/late"}}) {
		t.Errorf("outcomes %v, want /late", o)
	}
	if outcomes[0].Name != "/failed/0000" {
		t.Error("what was taken has changed")
	}
}

// Readers run beside an operation: no number falls, and none exceeds what is known.
func TestMonitorWhileRunning(t *testing.T) {
	for _, backend := range backends {
		t.Run(backend.name, func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, many("/src", 300))
			build(t, fsys, many("/dst", 200))
			for name, run := range map[string]func(mon *tree.Monitor) error{
				"copy": func(mon *tree.Monitor) error {
					return copyTree(t.Context(), fsys, "/src", "/dst", tree.Infinite, mon)
				},
				"move": func(mon *tree.Monitor) error {
					if err := copyTree(t.Context(), fsys, "/src", "/from", tree.Infinite, nil); err != nil {
						return err
					}
					return moveTree(t.Context(), failing(fsys, errors.ErrUnsupported, "rename", "/from"), "/from", "/to", mon)
				},
				"remove": func(mon *tree.Monitor) error {
					if err := copyTree(t.Context(), fsys, "/src", "/gone", tree.Infinite, nil); err != nil {
						return err
					}
					return removeTree(t.Context(), fsys, "/gone", mon)
				},
			} {
				mon := new(tree.Monitor)
				stop := make(chan struct{})
				var readers sync.WaitGroup
				for range 2 {
					readers.Go(func() { watch(t, mon, stop) })
				}
				err := run(mon)
				close(stop)
				readers.Wait()
				noError(t, err)
				p := mon.Snapshot()
				if p.Done != p.Known || p.Bytes != p.KnownBytes || p.Done < 301 {
					t.Errorf("%s: progress %+v at the end", name, p)
				}
				if storage.Reserved(p.Current) {
					t.Errorf("%s: current member %s", name, p.Current)
				}
			}
		})
	}
}

// watch reads mon until stop.
func watch(t *testing.T, mon *tree.Monitor, stop <-chan struct{}) {
	t.Helper()
	taken := mon.Subscribe()
	defer taken.Close()
	var last tree.Progress
	for {
		p := mon.Snapshot()
		if p.Done < last.Done || p.Known < last.Known || p.Bytes < last.Bytes || p.KnownBytes < last.KnownBytes {
			t.Errorf("%+v after %+v", p, last)
		}
		if p.Known > 0 && p.Done > p.Known || p.Bytes > p.KnownBytes {
			t.Errorf("%+v: more than is known", p)
		}
		for _, o := range taken.Take() {
			if o.Err != nil || storage.Reserved(o.Name) {
				t.Errorf("outcome %v", o)
			}
		}
		last = p
		select {
		case <-stop:
			return
		default:
		}
	}
}

// Members that a listing returned before it broke are accounted for.
func TestMonitorBrokenStream(t *testing.T) {
	l := layout{"/c/b/f": "1", "/c/b/g": "2", "/c/b/h": "3", "/c/i": "4"}
	errBad := errors.New("bad")
	for name, run := range map[string]func(fsys storage.FS, mon *tree.Monitor) error{
		"copy": func(fsys storage.FS, mon *tree.Monitor) error {
			return copyTree(t.Context(), fsys, "/c", "/dst", tree.Infinite, mon)
		},
		"remove": func(fsys storage.FS, mon *tree.Monitor) error {
			return removeTree(t.Context(), fsys, "/c", mon)
		},
	} {
		fsys, _ := newLocal(t)
		build(t, fsys, l)
		mon := new(tree.Monitor)
		failed(t, run(brokenStream{FS: fsys, name: "/c/b", after: 2, err: errBad}, mon), errBad, "/c/b")
		if p := mon.Snapshot(); p.Done != p.Known {
			t.Errorf("%s: %d of %d members done at the end", name, p.Done, p.Known)
		}
	}
}
