package mount_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/memstate"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/storagetest"
)

// inMemory returns a share in memory.
func inMemory(id, at string) mount.Share {
	return mount.Share{ID: id, At: at, Open: func(context.Context, string) (storage.FS, error) { return webdav.NewMemFS(), nil }}
}

func newBacking(t *testing.T, limit int) *memstate.State {
	t.Helper()
	backing, err := memstate.New(lock.Options{MaxPerPrincipal: limit})
	if err != nil {
		t.Fatal(err)
	}
	return backing
}

// TestLocksConformance runs the suite on one share, and on shares in each other, between which no
// difference may be visible.
func TestLocksConformance(t *testing.T) {
	const limit = 50
	for name, shares := range map[string][]mount.Share{
		"one":    {inMemory("only", "/")},
		"nested": {inMemory("outer", "/"), inMemory("inner", "/a"), inMemory("innermost", "/a/c/d"), inMemory("homes", "/d/{user}")},
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.LockSuite{
				Limit: limit,
				New:   func(t *testing.T) lock.Manager { return newFS(t, shares...).State(newBacking(t, limit)).Locks() },
			}.Run(t)
		})
	}
}

func TestPropertiesConformance(t *testing.T) {
	storagetest.PropertySuite{
		New: func(t *testing.T) deadprops.Store {
			return newFS(t, inMemory("only", "/")).State(newBacking(t, 0)).Properties()
		},
	}.Run(t)
}

func setProperty(t *testing.T, store deadprops.Store, name, value string) {
	t.Helper()
	property := webdav.Property{XMLName: xml.Name{Space: "urn:x", Local: "p"}, InnerXML: []byte(value)}
	if err := store.Patch(t.Context(), name, []webdav.Proppatch{{Props: []webdav.Property{property}}}); err != nil {
		t.Fatal(err)
	}
}

func wantProperty(t *testing.T, store deadprops.Store, name, want string) {
	t.Helper()
	found, _, err := store.Read(t.Context(), deadprops.Query{Names: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, each := range found[name] {
		got = string(each.InnerXML)
	}
	if got != want {
		t.Errorf("the property of %s is %q, want %q", name, got, want)
	}
}

func roots(t *testing.T, manager lock.Manager, name string, tree bool) []string {
	t.Helper()
	found, err := manager.Find(t.Context(), time.Now(), name, tree)
	if err != nil {
		t.Fatal(err)
	}
	roots := []string{}
	for _, each := range found {
		roots = append(roots, each.Root)
	}
	return roots
}

// TestStateMoves checks that locks and properties stay with a share when its place changes, and
// when it is absent for some time.
func TestStateMoves(t *testing.T) {
	ctx := t.Context()
	fsys := newFS(t, inMemory("photos", "/photos"), inMemory("homes", "/home/{user}"))
	state := fsys.State(newBacking(t, 0))
	manager, props := state.Locks(), state.Properties()
	var tokens []string
	for _, name := range []string{"/photos/a", "/home/ann/b", "/photos"} {
		l, err := manager.Acquire(ctx, time.Now(), lock.Lock{Root: name, Duration: time.Hour, ZeroDepth: true})
		if err != nil || l.Root != name {
			t.Fatalf("Acquire of %s: %+v, %v", name, l, err)
		}
		tokens = append(tokens, l.Token)
		setProperty(t, props, name, "of "+name)
	}
	for _, name := range []string{"/", "/home", "/none"} {
		_, err := manager.Acquire(ctx, time.Now(), lock.Lock{Root: name, Duration: time.Hour})
		wantError(t, "Acquire of "+name, err, fs.ErrPermission)
		wantError(t, "Patch of "+name, props.Patch(ctx, name, []webdav.Proppatch{{}}), fs.ErrPermission)
		wantProperty(t, props, name, "")
	}
	all := func(at string) []string { return []string{"/home/ann/b", at, at + "/a"} }
	if got := roots(t, manager, "/", true); !slices.Equal(got, all("/photos")) {
		t.Errorf("locked: %q", got)
	}
	wantError(t, "Set", fsys.Set([]mount.Share{inMemory("photos", "/pictures/all"), inMemory("homes", "/home/{user}")}), nil)
	if got := roots(t, manager, "/", true); !slices.Equal(got, all("/pictures/all")) {
		t.Errorf("after the move, locked: %q", got)
	}
	wantProperty(t, props, "/pictures/all/a", "of /photos/a")
	wantProperty(t, props, "/photos/a", "")
	if found, err := props.Any(ctx, "/pictures"); !found || err != nil {
		t.Errorf("Any: %v, %v", found, err)
	}
	wantError(t, "Set", fsys.Set([]mount.Share{inMemory("other", "/photos")}), nil)
	if got := roots(t, manager, "/", true); len(got) > 0 {
		t.Errorf("without the shares, locked: %q", got)
	}
	if found, err := props.Any(ctx, "/"); found || err != nil {
		t.Errorf("Any: %v, %v", found, err)
	}
	if _, err := manager.Renew(ctx, time.Now(), tokens[0], time.Hour); !errors.Is(err, webdav.ErrNoSuchLock) {
		t.Errorf("Renew of a lock in an absent share: %v", err)
	}
	wantError(t, "Set", fsys.Set([]mount.Share{inMemory("photos", "/photos"), inMemory("homes", "/home/{user}")}), nil)
	if got := roots(t, manager, "/", true); !slices.Equal(got, all("/photos")) {
		t.Errorf("after their return, locked: %q", got)
	}
	wantProperty(t, props, "/home/ann/b", "of /home/ann/b")
}

// TestStateNested checks that a lock on a collection protects the shares in it, and that
// a copy of the collection has their properties.
func TestStateNested(t *testing.T) {
	ctx := t.Context()
	fsys := newFS(t, inMemory("outer", "/o"), inMemory("inner", "/o/in"), inMemory("to", "/to"), inMemory("homes", "/h/{user}"))
	state := fsys.State(newBacking(t, 0))
	manager, props := state.Locks(), state.Properties()
	for _, name := range []string{"/o/a", "/o/in/b", "/to/c/old", "/h/ann/x", "/h/bob/x"} {
		setProperty(t, props, name, name)
	}
	outer, err := manager.Acquire(ctx, time.Now(), lock.Lock{Root: "/o", Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if got := roots(t, manager, "/o/in/b", false); !slices.Equal(got, []string{"/o"}) {
		t.Errorf("/o/in/b is locked by %q", got)
	}
	_, err = manager.Acquire(ctx, time.Now(), lock.Lock{Root: "/o/in/b", Duration: time.Hour})
	wantError(t, "Acquire below a lock", err, webdav.ErrLocked)
	release, err := manager.Confirm(time.Now(), "/o/in/b", "/o/a", webdav.Condition{Token: outer.Token})
	if err == nil {
		release()
	} else {
		t.Errorf("Confirm: %v", err)
	}
	wantError(t, "Release", manager.Release(ctx, time.Now(), outer.Token), nil)
	if _, err := manager.Acquire(ctx, time.Now(), lock.Lock{Root: "/o/in/b", Duration: time.Hour}); err != nil {
		t.Error(err)
	}
	_, err = manager.Acquire(ctx, time.Now(), lock.Lock{Root: "/o", Duration: time.Hour})
	wantError(t, "Acquire above a lock", err, webdav.ErrLocked)
	wantError(t, "Copy", props.Copy(ctx, "/o", "/to/c", false), nil)
	wantProperty(t, props, "/to/c/a", "/o/a")
	wantProperty(t, props, "/to/c/in/b", "/o/in/b")
	wantProperty(t, props, "/to/c/old", "")
	ann := storage.WithPrincipal(ctx, "ann")
	wantError(t, "Copy", props.Copy(ann, "/h", "/to/h", false), nil)
	wantProperty(t, props, "/to/h/ann/x", "/h/ann/x")
	wantProperty(t, props, "/to/h/bob/x", "")
	wantError(t, "Move to no share", props.Move(ctx, "/to/c", "/h"), fs.ErrPermission)
	if release, err := deadprops.Secure(ctx, props, "/o", "/to/d", 1); err != nil {
		t.Error(err)
	} else {
		release()
	}
}

// FuzzStateNames checks that names in the state lead back to the same names.
func FuzzStateNames(f *testing.F) {
	fsys, err := mount.New(inMemory("a", "/"), inMemory("b", "/a/b"), inMemory("c", "/home/{user}"), inMemory("d", "/home/{user}/x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/a/b/c")
	f.Add("/home/ann/x/y")
	f.Add("/.davd-share-a/b")
	f.Fuzz(func(t *testing.T, name string) {
		name = storage.Clean(name)
		inState, ok := fsys.Names().In(t.Context(), name)
		if !ok {
			t.Fatalf("%q belongs to no share", name)
		}
		again, ok := fsys.Names().Out(t.Context(), inState)
		if !ok {
			return // hidden
		}
		if again != name {
			t.Errorf("%q is %q in the state, and that is %q", name, inState, again)
		}
	})
}
