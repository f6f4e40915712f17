package dirblobs_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/blobstest"
	"github.com/davd/davd/storage/objectfs/blobs/dirblobs"
)

func open(tb testing.TB, dir string) *dirblobs.Store {
	tb.Helper()
	store, err := dirblobs.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

func TestSuite(t *testing.T) {
	blobstest.Suite{
		New:   func(tb testing.TB) blobs.Store { tb.Helper(); return open(tb, tb.TempDir()) },
		Large: 100_000,
	}.Run(t)
}

// TestReopen checks that a store has its objects after it was opened again, and that a reader is
// a file, so that the kernel can send it.
func TestReopen(t *testing.T) {
	dir, key := t.TempDir(), blobstest.Key()
	if err := blobstest.Put(t.Context(), open(t, dir), key, []byte("content"), 7, blobs.Meta{}); err != nil {
		t.Fatal(err)
	}
	r, err := open(t, dir).Open(t.Context(), key, 3, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if content, err := io.ReadAll(r); err != nil || string(content) != "tent" {
		t.Errorf("%q, %v", content, err)
	}
	if _, ok := r.(*os.File); !ok {
		t.Errorf("the reader is a %T", r)
	}
}

// TestLost checks the errors when the directory is gone, like one on a disk that is not mounted.
func TestLost(t *testing.T) {
	dir := t.TempDir()
	store, key := open(t, dir), blobstest.Key()
	if err := blobstest.Put(t.Context(), store, key, nil, 0, blobs.Meta{}); err != nil {
		t.Fatal(err)
	}
	w, err := store.Create(t.Context(), blobstest.Key(), -1, blobs.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "objects")); err != nil {
		t.Fatal(err)
	}
	_, opened := store.Open(t.Context(), key, 0, -1)
	_, stat := store.Stat(t.Context(), key)
	for name, err := range map[string]error{
		"Open": opened, "Stat": stat, "Remove": store.Remove(t.Context(), []string{key}), "Finish": w.Finish(t.Context()),
	} {
		if !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%s: %v, want storage.ErrUnavailable", name, err)
		}
	}
	for _, err := range store.List(t.Context(), "") {
		if !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("List: %v, want storage.ErrUnavailable", err)
		}
	}
}

// TestDamaged checks that a file without a header is no object.
func TestDamaged(t *testing.T) {
	dir, key := t.TempDir(), "1-abc"
	store := open(t, dir)
	if err := blobstest.Put(t.Context(), store, key, []byte("x"), 1, blobs.Meta{Name: "/x"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "objects", "1", "ab", key)
	for _, content := range [][]byte{nil, make([]byte, 5000), append([]byte("davd object 1\n{"), make([]byte, 5000)...)} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if o, err := store.Stat(t.Context(), key); err == nil {
			t.Errorf("a damaged object is %+v", o)
		}
	}
}
