package tree_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest/sweep"
	"github.com/davd/davd/storage/tree"
)

// chain makes depth collections, each in the one before.
func chain(t *testing.T, dir string, depth int) {
	t.Helper()
	at, err := os.OpenRoot(dir)
	noError(t, err)
	for range depth {
		noError(t, at.Mkdir("collecti", 0o755))
		next, err := at.OpenRoot("collecti")
		noError(t, errors.Join(err, at.Close()))
		at = next
	}
	noError(t, at.Close())
}

// TestDeepTrees: COPY and DELETE work at any depth. Package local measures what that
// costs.
func TestDeepTrees(t *testing.T) {
	depth := sweep.Size(600, 10_000)
	fsys, dir := newLocal(t)
	noError(t, os.Mkdir(dir+"/source", 0o755))
	chain(t, dir+"/source", depth)
	mon := new(tree.Monitor)
	noError(t, copyTree(t.Context(), fsys, "/source", "/copy", tree.Infinite, mon))
	if done := mon.Snapshot().Done; done != int64(depth+1) {
		t.Errorf("COPY of %d members, want %d", done, depth+1)
	}
	for _, name := range []string{"/source", "/copy"} {
		noError(t, removeTree(t.Context(), fsys, name, new(tree.Monitor)))
	}
	if names := listing(t, dir); len(names) != 0 {
		t.Errorf("%q is left", names)
	}
}

// TestTooDeep: if depth is limited, a COPY fails as a whole and says why. The source is
// small and the destination is deep, because a walk of a deep tree takes long.
func TestTooDeep(t *testing.T) {
	for _, of := range []struct {
		name  string
		open  func(dir string) (storage.FS, error)
		depth int // of the deepest member
	}{
		{"aferofs", func(dir string) (storage.FS, error) {
			return aferofs.New(afero.NewBasePathFs(afero.NewOsFs(), dir)), nil
		}, 256},
		{"local, LinksFollow", func(dir string) (storage.FS, error) {
			return local.OpenWith(dir, local.Options{Links: local.LinksFollow})
		}, 512},
	} {
		t.Run(of.name, func(t *testing.T) {
			dir := t.TempDir()
			fsys, err := of.open(dir)
			noError(t, err)
			base := strings.Repeat("/c", of.depth-4)
			noError(t, errors.Join(os.MkdirAll(dir+base, 0o755), os.MkdirAll(dir+"/source/c/c/c", 0o755)))
			noError(t, copyTree(t.Context(), fsys, "/source", base+"/copy", tree.Infinite, nil))
			noError(t, removeTree(t.Context(), fsys, base+"/copy", nil))
			if names := listing(t, dir+base); len(names) != 0 {
				t.Errorf("after DELETE there is %q", names)
			}
			noError(t, os.Mkdir(dir+"/source/c/c/c/c", 0o755))
			err = copyTree(t.Context(), fsys, "/source", base+"/copy", tree.Infinite, nil)
			if !errors.Is(err, storage.ErrTooDeep) {
				t.Errorf("COPY: %v, want storage.ErrTooDeep", err)
			}
			if names := listing(t, dir+base); len(names) != 0 {
				t.Errorf("after the COPY there is %q", names)
			}
		})
	}
}

// listing returns the names in the directory dir.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	noError(t, err)
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}
