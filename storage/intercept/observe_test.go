package intercept_test

import (
	"maps"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/intercept"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

func openLocal(t *testing.T) storage.FS {
	t.Helper()
	fsys, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	return fsys
}

// TestObserveConforms: an observed FS does what the other one does.
func TestObserveConforms(t *testing.T) {
	storagetest.Suite{FollowsLinks: true, New: func(t *testing.T) storage.FS {
		return intercept.Observe(openLocal(t), func(string, time.Duration) {})
	}}.Run(t)
}

// TestObserve: each call is seen once, and each member of a batch.
func TestObserve(t *testing.T) {
	ctx := t.Context()
	bare := openLocal(t)
	storagetest.WriteTree(t, bare, storagetest.Tree{"/d": "/", "/d/a": "x", "/d/b": "y"})
	var mu sync.Mutex
	seen := map[string]int{}
	fsys := intercept.Observe(bare, func(op string, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if seen[op]++; took < 0 {
			t.Errorf("%s took %v", op, took)
		}
	})
	file, err := fsys.OpenFile(ctx, "/d/a", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := bare.OpenFile(ctx, "/d/a", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if reflect.TypeOf(file) != reflect.TypeOf(plain) {
		t.Errorf("the file is a %T", file)
	}
	for _, f := range []storage.File{file, plain} {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := fsys.Stat(ctx, "/none"); err == nil {
		t.Error("a missing file exists")
	}
	for name, err := range storage.RemoveMembers(ctx, fsys, "/d", []string{"a", "b"}) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if want := map[string]int{"open": 1, "stat": 1, "remove": 2}; !maps.Equal(seen, want) {
		t.Errorf("seen %v, want %v", seen, want)
	}
}
