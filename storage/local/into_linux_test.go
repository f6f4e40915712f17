package local_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/strays"
)

func wantTree(t *testing.T, fsys storage.FS, want storagetest.Tree) {
	t.Helper()
	if got := storagetest.ReadTree(t, fsys, "/"); !maps.Equal(got, want) {
		t.Errorf("the storage contains %q, want %q", got, want)
	}
}

// TestCopyInto checks that files and links are copied to another storage, and what they keep if
// that is a directory too.
func TestCopyInto(t *testing.T) {
	for name, test := range map[string]struct {
		into  func(fsys *local.FS) storage.FS
		links bool
	}{
		"another directory":             {func(fsys *local.FS) storage.FS { return fsys }, true},
		"a directory behind something":  {func(fsys *local.FS) storage.FS { return struct{ storage.FS }{fsys} }, false},
		"memory, which keeps no links":  {func(*local.FS) storage.FS { return webdav.NewMemFS() }, false},
		"a directory that is also slow": {func(fsys *local.FS) storage.FS { return latency.New(fsys, 1) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := newShare(t), newShare(t)
			past := time.Unix(1e9, 123456789)
			storagetest.WriteTree(t, from, storagetest.Tree{"/src": "/", "/src/a": "content"})
			if err := errors.Join(from.SetTimes(t.Context(), "/src/a", past), os.Symlink("nowhere", from.path("/src/link"))); err != nil {
				t.Fatal(err)
			}
			into := test.into(to.FS)
			if err := into.Mkdir(t.Context(), "/dst", 0o777); err != nil {
				t.Fatal(err)
			}
			var members []fs.FileInfo
			for _, member := range []string{"a", "link"} {
				info, err := from.Lstat(t.Context(), "/src/"+member)
				if err != nil {
					t.Fatal(err)
				}
				members = append(members, info)
			}
			var wrote int64
			copying := storage.Copying{From: "/src", Into: into, To: "/dst", Members: members, Wrote: func(n int64) { wrote += n }}
			for member, err := range storage.CopyMembers(t.Context(), from.FS, copying) {
				if unsupported := errors.Is(err, errors.ErrUnsupported); member == "link" && unsupported == test.links || err != nil && !unsupported {
					t.Errorf("%s: error %v", member, err)
				}
			}
			if wrote != 7 {
				t.Errorf("%d bytes are reported", wrote)
			}
			wantTree(t, into, storagetest.Tree{"/dst": "/", "/dst/a": "content"})
			if !test.links {
				return
			}
			if info, err := to.Stat(t.Context(), "/dst/a"); err != nil || !info.ModTime().Equal(past) {
				t.Errorf("the copy: %v, %v", info, err)
			}
			if text, err := os.Readlink(to.path("/dst/link")); text != "nowhere" || err != nil {
				t.Errorf("the link leads to %q, error %v", text, err)
			}
		})
	}
}

// TestRenameInto checks renaming to another directory on the same filesystem.
func TestRenameInto(t *testing.T) {
	ctx := t.Context()
	from, to := newShare(t), newShare(t)
	storagetest.WriteTree(t, from, storagetest.Tree{"/a": "a", "/dir": "/", "/dir/b": "b", "/same": "1"})
	storagetest.WriteTree(t, to, storagetest.Tree{"/old": "old", "/empty": "/", "/same": "2"})
	outside := t.TempDir()
	if err := os.Symlink(outside, to.path("/out")); err != nil {
		t.Fatal(err)
	}
	rename := func(old, name string, swap bool) error {
		return storage.RenameWith(ctx, from.FS, storage.Renaming{Old: old, Into: to.FS, New: name, Swap: swap})
	}
	if err := rename("/a", "/old", false); errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		old, new string
		want     error
	}{
		{"/no", "/new", fs.ErrNotExist},
		{"/dir", "/no/new", fs.ErrNotExist},
		{"/dir", "/empty", fs.ErrExist},
		{"/", "/new", fs.ErrPermission},
		{"/dir", "/", fs.ErrPermission},
		{"/dir", "/out/new", fs.ErrPermission},
		{"/dir\x00", "/new", fs.ErrNotExist},
	} {
		err := rename(test.old, test.new, false)
		var link *os.LinkError
		if !errors.Is(err, test.want) || !errors.As(err, &link) || link.Old != test.old || link.New != test.new {
			t.Errorf("%q to %q: %v, want %v with both names", test.old, test.new, err, test.want)
		}
	}
	if err := errors.Join(rename("/dir", "/new", false), rename("/same", "/same", true)); err != nil {
		t.Error(err)
	}
	wantTree(t, from, storagetest.Tree{"/same": "2"})
	if err := os.Remove(to.path("/out")); err != nil {
		t.Fatal(err)
	}
	wantTree(t, to, storagetest.Tree{"/old": "a", "/empty": "/", "/new": "/", "/new/b": "b", "/same": "1"})
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside contains %v, %v", left, err)
	}
	for _, into := range []storage.FS{webdav.NewMemFS(), struct{ storage.FS }{to.FS}} {
		err := storage.RenameWith(ctx, from.FS, storage.Renaming{Old: "/same", Into: into, New: "/x"})
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("to a %T: %v, want errors.ErrUnsupported", into, err)
		}
	}
}

// TestIdentity checks that directories have different identities, which stay the same when they
// are renamed and opened again.
func TestIdentity(t *testing.T) {
	base := t.TempDir()
	seen := map[string]string{}
	for _, dir := range []string{"a", "b", "moved"} {
		path := filepath.Join(base, dir)
		if err := os.MkdirAll(path, 0o777); dir != "moved" && err != nil {
			t.Fatal(err)
		}
		if dir == "moved" {
			if err := errors.Join(os.Remove(path), os.Rename(filepath.Join(base, "a"), path)); err != nil {
				t.Fatal(err)
			}
		}
		fsys := openAt(t, path)
		var err error
		for _, name := range []string{"/", "/none", "/none/none"} {
			if seen[dir], err = storage.Identity(t.Context(), fsys, name); err != nil || seen[dir] == "" {
				t.Errorf("%s of %s: %q, %v", name, dir, seen[dir], err)
			}
		}
	}
	if seen["a"] == seen["b"] || seen["a"] != seen["moved"] {
		t.Errorf("the identities are %q", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := storage.Identity(ctx, openAt(t, base), "/"); !errors.Is(err, context.Canceled) {
		t.Errorf("Identity: %v, want context.Canceled", err)
	}
}

// TestSweepAfterRenameInto checks that Sweep finds a stage whose collection was renamed to another
// directory before the kill.
func TestSweepAfterRenameInto(t *testing.T) {
	base := t.TempDir()
	open := func(name string) (*local.FS, *strays.File) {
		if err := os.MkdirAll(filepath.Join(base, name), 0o777); err != nil {
			t.Fatal(err)
		}
		fsys, notes, err := openNoting(filepath.Join(base, name))
		if err != nil {
			t.Fatal(err)
		}
		return fsys, notes
	}
	a, aNotes := open("a")
	b, bNotes := open("b")
	a.SetWays()
	s := share{FS: a}
	storagetest.WriteTree(t, a, storagetest.Tree{"/c": "/"})
	s.begin(t, "/c/file", "x") // Neither Commit nor Discard follows.
	err := storage.RenameWith(t.Context(), a, storage.Renaming{Old: "/c", Into: b, New: "/d"})
	if err := errors.Join(err, a.Close(), b.Close(), aNotes.Close(), bNotes.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		fsys, notes := open(name)
		if err := errors.Join(fsys.Close(), notes.Close()); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(base, "b/d")); err != nil || len(left) > 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}
