package deadprops_test

import (
	"testing"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/storagetest"
)

func newMem() deadprops.Store { return deadprops.NewMem() }

func TestMem(t *testing.T) {
	storagetest.PropertySuite{New: func(*testing.T) deadprops.Store { return newMem() }}.Run(t)
}

func BenchmarkMem(b *testing.B) {
	storagetest.BenchmarkProperties(b, func(*testing.B) deadprops.Store { return newMem() })
}

// TestMemEmpty: an empty store costs nothing, and a store that was emptied costs no
// more.
func TestMemEmpty(t *testing.T) {
	store, ctx := newMem(), t.Context()
	storagetest.PlantProperties(t, store, 1000, 1)
	if err := store.Remove(ctx, "/"); err != nil {
		t.Fatal(err)
	}
	names := make([]string, 500)
	for i := range names {
		names[i] = "/a/b/c"
	}
	if n := testing.AllocsPerRun(100, func() {
		if found, err := store.Any(ctx, "/a/b"); found || err != nil {
			t.Error(found, err)
		}
		if found, _, err := store.Read(ctx, deadprops.Query{Names: names}); len(found) > 0 || err != nil {
			t.Error(found, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
