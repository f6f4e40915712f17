package tree_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/davd/davd/storage/tree"
)

func TestOnBusy(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, wide("/long", 60, 3))
	build(t, fsys, layout{"/short/f": "1"})
	var told []bool // needs no lock: OnBusy promises that calls do not overlap
	engine := tree.Engine{FS: fsys, Workers: &tree.Workers{OnBusy: func(busy bool) { told = append(told, busy) }}}

	noError(t, engine.Copy(t.Context(), "/short", "/short2", tree.Infinite, nil))
	if len(told) != 0 {
		t.Errorf("a short operation is busy: %v", told)
	}
	noError(t, engine.Copy(t.Context(), "/long", "/long2", tree.Infinite, nil))
	if !slices.Equal(told, []bool{true, false}) {
		t.Errorf("told %v of a long COPY", told)
	}
	var both sync.WaitGroup
	for _, name := range []string{"/long", "/long2"} {
		both.Go(func() { _ = engine.Remove(t.Context(), name, nil) })
	}
	both.Wait()
	for i, busy := range told {
		if busy != (i%2 == 0) {
			t.Errorf("told %v", told)
		}
	}
	if len(told)%2 != 0 || len(told) < 4 {
		t.Errorf("told %v", told)
	}
}
