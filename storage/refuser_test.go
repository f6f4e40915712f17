package storage_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/intercept"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/storagetest"
)

// capabilities are all optional interfaces of an FS.
var capabilities = []reflect.Type{
	reflect.TypeFor[storage.Canonicaler](), reflect.TypeFor[storage.Copier](), reflect.TypeFor[storage.DeadPropsReader](),
	reflect.TypeFor[storage.FileReplacer](), reflect.TypeFor[storage.Holder](), reflect.TypeFor[storage.Lister](),
	reflect.TypeFor[storage.Lstater](), reflect.TypeFor[storage.Remover](), reflect.TypeFor[storage.Renamer](),
	reflect.TypeFor[storage.Spacer](), reflect.TypeFor[storage.TimeSetter](),
}

// TestDecoratorsForward checks that the decorators have all capabilities. A file must be opened
// and described through the decorator's OpenFile, so there is no storage.ReadOpener.
func TestDecoratorsForward(t *testing.T) {
	fsys := openLocal(t, t.TempDir())
	for name, decorated := range map[string]storage.FS{
		"latency":   latency.New(fsys, 1),
		"intercept": intercept.New(fsys, func(context.Context, string, string) error { return nil }),
		"Fault":     &storagetest.Fault{FS: fsys},
	} {
		for _, capability := range capabilities {
			if !reflect.TypeOf(decorated).Implements(capability) {
				t.Errorf("%s is no %v", name, capability)
			}
		}
	}
}

// TestRefuser checks that no capability of a storage can be reached through a decorator that
// forwards nothing.
func TestRefuser(t *testing.T) {
	inner := openLocal(t, t.TempDir())
	storagetest.WriteTree(t, inner, members)
	want := storagetest.ReadTree(t, inner, "/")
	info := stat(t, inner, "/dir/a")
	fsys := storagetest.Refuser{Inner: &storagetest.Fault{FS: inner, Before: func(op, name string) error {
		t.Errorf("%s of %s is called", op, name)
		return nil
	}}}
	ctx := t.Context()
	copied := func(c storage.Copying) (err error) {
		c.From, c.To, c.Members = "/dir", "/dir/sub", info
		for _, err = range storage.CopyMembers(ctx, fsys, c) {
			break
		}
		return err
	}
	removed := func() (err error) {
		for _, err = range storage.RemoveMembers(ctx, fsys, "/dir", []string{"a", "sub"}) {
			break
		}
		return err
	}
	_, lstat := storage.Lstat(ctx, fsys, "/dir/a")
	_, list := storage.List(ctx, fsys, "/dir")
	_, replace := storage.ReplaceFile(ctx, fsys, "/dir/a", storage.Replacing{Perm: 0o666})
	_, _, open := storage.OpenRead(ctx, fsys, "/dir/a")
	_, props := storage.ReadDeadProps(ctx, fsys, "/dir/a")
	_, hold := storage.Hold(ctx, fsys, "/dir")
	_, _, space := storage.Space(ctx, fsys, "/dir")
	for call, err := range map[string]error{
		"Lstat": lstat, "List": list, "ReplaceFile": replace, "OpenRead": open, "ReadDeadProps": props, "Hold": hold, "Space": space,
		"CopyMembers": copied(storage.Copying{}), "CopyMembers into the inside": copied(storage.Copying{Into: inner}),
		"RemoveMembers": removed(), "Remove": storage.Remove(ctx, fsys, "/dir/a"),
		"Exchange": storage.Exchange(ctx, fsys, "/dir/a", "/dir/b"), "RenameWith": storage.RenameWith(ctx, fsys, storage.Renaming{Old: "/dir/a", New: "/a"}),
		"RenameWith into the inside": storage.RenameWith(ctx, fsys, storage.Renaming{Old: "/dir/a", New: "/a", Into: inner}),
		"SetTimes":                   storage.SetTimes(ctx, fsys, "/dir/a", time.Now()),
	} {
		if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want fs.ErrPermission or errors.ErrUnsupported", call, err)
		}
	}
	if canon, err := storage.Canonical(ctx, fsys, "/dir/a", true); err != nil || canon.Key != "/dir/a" {
		t.Errorf("Canonical: %v, %v; want the name itself", canon, err)
	}
	if identity, err := storage.Identity(ctx, fsys, "/dir/a"); identity != "" || err != nil {
		t.Errorf("Identity: %q, %v; want none", identity, err)
	}
	if got := storagetest.ReadTree(t, inner, "/"); !maps.Equal(got, want) {
		t.Errorf("the storage contains %q\nwant %q", got, want)
	}
	// A copy from another storage can't be written through the decorator either.
	for _, err := range storage.CopyMembers(ctx, inner, storage.Copying{From: "/dir", To: "/dir/sub", Members: info, Into: fsys}) {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("CopyMembers to the decorator: %v, want fs.ErrPermission", err)
		}
	}
	if err := storage.RenameWith(ctx, inner, storage.Renaming{Old: "/dir/a", New: "/dir/c", Into: fsys}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("RenameWith to the decorator: %v, want errors.ErrUnsupported", err)
	}
}

// stat describes names.
func stat(t *testing.T, fsys storage.FS, names ...string) []fs.FileInfo {
	t.Helper()
	var infos []fs.FileInfo
	for _, name := range names {
		info, err := fsys.Stat(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		infos = append(infos, info)
	}
	return infos
}
