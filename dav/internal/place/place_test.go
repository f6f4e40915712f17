package place

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/davd/davd/storage/local"
)

// TestUnmoved checks that a place counts as moved once a link in its path leads elsewhere.
func TestUnmoved(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/d", "b/d"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	fsys, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	names := Resolver{FS: fsys}
	p, err := names.Place(t.Context(), "/a/d/f", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := names.Unmoved(t.Context(), p, false); err != nil {
		t.Errorf("nothing has changed: %v", err)
	}
	if err := os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("b", filepath.Join(dir, "a")); err != nil {
		t.Skip(err) // Windows allows links only to some users
	}
	if err := names.Unmoved(t.Context(), p, false); !errors.Is(err, ErrMoved) {
		t.Errorf("the path leads elsewhere: %v", err)
	}
}
