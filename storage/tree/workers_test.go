package tree_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/latency"
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

// TestWorkersByClient: a small COPY does not wait for those of another client that began
// before it.
func TestWorkersByClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 100
		fsys := aferofs.New(afero.NewMemMapFs())
		build(t, fsys, layout{"/f": "content"})
		workers := new(tree.Workers)
		engine := func(client string) tree.Engine {
			return tree.Engine{FS: latency.New(fsys, 5*time.Millisecond), Workers: workers, Client: client}
		}
		var done atomic.Int64
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				if err := engine("many").Copy(t.Context(), "/f", fmt.Sprintf("/f%d", i), 0, nil); err != nil {
					t.Error(err)
				}
				done.Add(1)
			})
		}
		for done.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		noError(t, engine("one").Copy(t.Context(), "/f", "/g", 0, nil))
		if before := done.Load(); before > many/2 {
			t.Errorf("%d of %d COPYs of another client were done first", before, many)
		}
		all.Wait()
	})
}
