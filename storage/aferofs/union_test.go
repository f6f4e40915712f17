package aferofs_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/storagetest"
)

// newUnionOf returns a CopyOnWriteFs with tree in its base and an empty directory on
// disk as its upper layer.
func newUnionOf(t *testing.T, tree storagetest.Tree) *aferofs.FS {
	t.Helper()
	base := afero.NewMemMapFs()
	storagetest.WriteTree(t, aferofs.New(base), tree)
	layer := afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())
	return aferofs.New(afero.NewCopyOnWriteFs(afero.NewReadOnlyFs(base), layer))
}

func holds(t *testing.T, fsys storage.FS, want storagetest.Tree) {
	t.Helper()
	if got := storagetest.ReadTree(t, fsys, "/"); !maps.Equal(got, want) {
		t.Errorf("the storage holds %q\nwant %q", got, want)
	}
}

// TestUnionBaseStays: for some of these calls a CopyOnWriteFs reports success, for
// others that nothing exists.
func TestUnionBaseStays(t *testing.T) {
	tree := storagetest.Tree{"/dir": "/", "/dir/file": "base", "/file": "base"}
	fsys := newUnionOf(t, tree)
	ctx := t.Context()
	for call, err := range map[string]error{
		"Remove of a file":          storage.Remove(ctx, fsys, "/file"),
		"RemoveAll of a file":       fsys.RemoveAll(ctx, "/file"),
		"RemoveAll of a collection": fsys.RemoveAll(ctx, "/dir"),
		"Rename of a file":          fsys.Rename(ctx, "/file", "/to"),
		"Rename of a collection":    fsys.Rename(ctx, "/dir", "/to"),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v, want fs.ErrPermission", call, err)
		}
	}
	if err := storage.Remove(ctx, fsys, "/dir"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Remove of a collection with members: %v, want fs.ErrExist", err)
	}
	if err := fsys.Mkdir(ctx, "/file", 0o777); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Mkdir of a file: %v, want fs.ErrExist", err)
	}
	if _, err := fsys.OpenFile(ctx, "/file", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666); !errors.Is(err, fs.ErrExist) {
		t.Errorf("OpenFile with O_EXCL: %v, want fs.ErrExist", err)
	}
	holds(t, fsys, tree)
}

func TestUnionOfBothLayers(t *testing.T) {
	fsys := newUnionOf(t, storagetest.Tree{"/dir": "/", "/dir/file": "base", "/dir/old": "base"})
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/dir/file": "changed", "/dir/new": "new", "/dir/sub": "/"})
	want := storagetest.Tree{
		"/dir": "/", "/dir/file": "changed", "/dir/old": "base", "/dir/new": "new", "/dir/sub": "/",
	}
	holds(t, fsys, want)
	// The collection must not be split.
	if err := fsys.Rename(t.Context(), "/dir", "/to"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Rename: %v, want fs.ErrPermission", err)
	}
	holds(t, fsys, want)
	if err := fsys.Rename(t.Context(), "/dir/new", "/dir/sub/new"); err != nil {
		t.Error(err)
	}
	// The original reappears, and Remove says so.
	if err := storage.Remove(t.Context(), fsys, "/dir/file"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Remove of a changed file: %v, want fs.ErrPermission", err)
	}
	holds(t, fsys, storagetest.Tree{
		"/dir": "/", "/dir/file": "base", "/dir/old": "base", "/dir/sub": "/", "/dir/sub/new": "new",
	})
}

func TestUnionParentInBase(t *testing.T) {
	fsys := newUnionOf(t, storagetest.Tree{"/dir": "/"})
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/file": "x"})
	if err := fsys.Rename(t.Context(), "/file", "/dir/file"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Rename: %v, want errors.ErrUnsupported", err)
	}
	info, err := fsys.Stat(t.Context(), "/file")
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.CopyMember(t.Context(), fsys, "/file", "/dir/file", info, nil); err != nil {
		t.Error(err)
	}
	holds(t, fsys, storagetest.Tree{"/dir": "/", "/file": "x", "/dir/file": "x"})
}

func TestUnionSetTimes(t *testing.T) {
	tree := storagetest.Tree{"/dir": "/", "/dir/file": "base"}
	fsys := newUnionOf(t, tree)
	want := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := fsys.SetTimes(t.Context(), "/dir", want); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SetTimes of a collection: %v, want errors.ErrUnsupported", err)
	}
	if err := fsys.SetTimes(t.Context(), "/dir/file", want); err != nil {
		t.Error(err)
	}
	if info, err := fsys.Stat(t.Context(), "/dir/file"); err != nil || !info.ModTime().Equal(want) {
		t.Errorf("Stat: %v, %v; want the time %v", info, err, want)
	}
	holds(t, fsys, tree)
}
