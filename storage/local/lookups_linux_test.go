package local_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestLookupAllocations: ordinary requests look names up several times, so a lookup must
// not allocate more than the path that the kernel gets and the description.
func TestLookupAllocations(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "d", "f"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	fsys := openAt(t, dir)
	for name, c := range map[string]struct {
		most float64
		call func() error
	}{
		"Stat":      {2, func() error { _, err := fsys.Stat(t.Context(), "/d/f"); return err }},
		"Lstat":     {2, func() error { _, err := fsys.Lstat(t.Context(), "/d/f"); return err }},
		"Canonical": {1, func() error { _, err := fsys.Canonical(t.Context(), "/d/f", true); return err }},
	} {
		if err := c.call(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := testing.AllocsPerRun(100, func() { _ = c.call() }); got > c.most {
			t.Errorf("%s: got %v allocations, want %v at most", name, got, c.most)
		}
	}
}

// TestCloseWhileUsed: the descriptor of the root is closed after its last use, so no call
// uses a descriptor that another file has got meanwhile.
func TestCloseWhileUsed(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "d", "mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	fsys := openAt(t, dir)
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for range 200 {
				if info, err := fsys.Stat(t.Context(), "/d/mine"); err == nil && !info.IsDir() {
					t.Error("another file was described")
				}
			}
		})
	}
	for range 2 { // The second call changes nothing.
		_ = fsys.Close()
	}
	running.Wait()
	if _, err := fsys.Stat(t.Context(), "/d/mine"); err == nil {
		t.Error("a closed FS still answers")
	}
}
