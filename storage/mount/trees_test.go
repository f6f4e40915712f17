package mount_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/memstate"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/storagetest"
)

// transacting is a storage whose names are in state.
type transacting struct {
	storage.FS
	state any
}

func (s transacting) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	return storage.CopyTree(ctx, s.FS, c)
}

func (s transacting) RemoveTree(ctx context.Context, name string) error {
	return storage.RemoveTree(ctx, s.FS, name)
}

func (s transacting) Transacts(_ context.Context, _ string, state any) bool { return state == s.state }

func newState(t *testing.T) *memstate.State {
	t.Helper()
	state, err := memstate.New(lock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// TestWholeTrees: trees are copied and removed as a whole inside one share, and names are in the
// database of the state if those of their share are.
func TestWholeTrees(t *testing.T) {
	ctx := t.Context()
	state, other := newState(t), newState(t)
	whole := func(id, at string, state any) mount.Share {
		fsys := transacting{storagetest.WholeTrees(aferofs.New(afero.NewMemMapFs())), state}
		return mount.Share{ID: id, At: at, Open: func(context.Context, string) (storage.FS, error) { return fsys, nil }}
	}
	fsys := newFS(t, whole("a", "/a", state), whole("b", "/b", nil), whole("inner", "/a/dir/inner", state))
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/a/x": "/", "/a/x/1": "one", "/b/y": "/"})
	for _, c := range []struct{ from, to string }{{"/a/x", "/b/.davd-1"}, {"/a/dir", "/a/.davd-2"}, {"/a/dir/inner", "/a/.davd-3"}} {
		err := storage.CopyTree(ctx, fsys, storage.TreeCopying{From: c.from, To: c.to})
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("copying %s to %s: %v, want %v", c.from, c.to, err, errors.ErrUnsupported)
		}
	}
	if err := storage.CopyTree(ctx, fsys, storage.TreeCopying{From: "/a/x", To: "/a/.davd-4"}); err != nil {
		t.Error(err)
	}
	if err := storage.RemoveTree(ctx, fsys, "/a/x"); err != nil {
		t.Error(err)
	}
	if got := storagetest.ReadTree(t, fsys, "/a/.davd-4"); got["/a/.davd-4/1"] != "one" {
		t.Errorf("the copy contains %q", got)
	}
	for _, name := range []string{"/a", "/a/dir", "/b"} {
		if err := storage.RemoveTree(ctx, fsys, name); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("removing %s: %v, want %v", name, err, fs.ErrPermission)
		}
	}
	of := fsys.State(state)
	for name, want := range map[string]bool{"/a/x": true, "/a/dir/inner/new": true, "/a": true, "/a/DIR/x": false, "/b/y": false, "/": false, "/none": false} {
		if storage.Transacts(ctx, fsys, name, of) != want {
			t.Errorf("%s: in the database is %t, want %t", name, !want, want)
		}
	}
	if storage.Transacts(ctx, fsys, "/a/x", other) {
		t.Error("names are in the database of another state")
	}
}
