package mount_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/storagetest"
)

func list(t *testing.T, ctx context.Context, fsys storage.FS, name string) []string {
	t.Helper()
	names := []string{}
	for info, err := range storage.ReadDir(ctx, fsys, name) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name())
	}
	slices.Sort(names)
	return names
}

func wantMembers(t *testing.T, fsys storage.FS, name string, want ...string) {
	t.Helper()
	if got := list(t, t.Context(), fsys, name); !slices.Equal(got, want) {
		t.Errorf("%s contains %q, want %q", name, got, want)
	}
}

func wantError(t *testing.T, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("%s: %v, want %v", call, err, want)
	}
}

// TestPart checks which names have the space of one share.
func TestPart(t *testing.T) {
	homes := mount.Share{ID: "home", At: "/home/{user}", Open: func(context.Context, string) (storage.FS, error) { return nil, fs.ErrNotExist }}
	fsys := newFS(t, directory("outer", "/o", t.TempDir()), directory("inner", "/o/in", t.TempDir()), homes)
	for name, want := range map[string]string{
		"/": "", "/none": "", "/home": "", "/o": "/o", "/o/a/b": "/o", "/o/in": "/o/in", "/o/in/a": "/o/in", "/home/ann/a": "/home/ann", "/home/bob": "/home/bob",
	} {
		if got := storage.Part(t.Context(), fsys, name); got != want {
			t.Errorf("%s is in %q, want %q", name, got, want)
		}
	}
}

// TestNested checks which share has a name, and that collections which lead to shares can't be
// changed.
func TestNested(t *testing.T) {
	ctx := t.Context()
	outer, inner, deep, other := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	fsys := newFS(t, directory("outer", "/o", outer), directory("inner", "/o/in", inner), directory("deep", "/o/a/b/deep", deep), directory("other", "/x/other", other))
	for path, content := range map[string]string{
		outer + "/file": "outer", outer + "/in/hidden": "hidden", outer + "/IN/folded": "hidden", inner + "/file": "inner", deep + "/file": "deep", other + "/file": "other",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(content), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	want := storagetest.Tree{
		"/o": "/", "/o/file": "outer", "/o/in": "/", "/o/in/file": "inner", "/o/a": "/", "/o/a/b": "/",
		"/o/a/b/deep": "/", "/o/a/b/deep/file": "deep", "/x": "/", "/x/other": "/", "/x/other/file": "other",
	}
	if got := storagetest.ReadTree(t, fsys, "/"); !maps.Equal(got, want) {
		t.Errorf("the name space contains %q, want %q", got, want)
	}
	wantMembers(t, fsys, "/", "o", "x")
	for _, name := range []string{"/o/in/hidden", "/o/IN", "/o/IN/folded", "/y", "/y/z", "/x/y"} {
		_, err := fsys.Stat(ctx, name)
		wantError(t, "Stat of "+name, err, fs.ErrNotExist)
		_, err = fsys.OpenFile(ctx, name, os.O_RDONLY, 0)
		wantError(t, "OpenFile of "+name, err, fs.ErrNotExist)
		_, err = storage.Lstat(ctx, fsys, name)
		wantError(t, "Lstat of "+name, err, fs.ErrNotExist)
	}
	for _, name := range []string{"/", "/o", "/o/in", "/o/a", "/o/a/b", "/o/a/b/deep", "/x", "/x/other", "/o/IN", "/y"} {
		wantError(t, "CheckRemoval of "+name, storage.CheckRemoval(ctx, fsys, name), fs.ErrPermission)
		if name == "/y" || name == "/o/IN" {
			continue
		}
		info, err := fsys.Stat(ctx, name)
		if base := filepath.Base(name); err != nil || !info.IsDir() || info.Name() != base {
			t.Errorf("Stat of %s: %v, %v", name, info, err)
		}
		wantError(t, "RemoveAll of "+name, fsys.RemoveAll(ctx, name), fs.ErrPermission)
		wantError(t, "Remove of "+name, storage.Remove(ctx, fsys, name), fs.ErrPermission)
		wantError(t, "Rename of "+name, fsys.Rename(ctx, name, "/x/other/new"), fs.ErrPermission)
		wantError(t, "Rename to "+name, fsys.Rename(ctx, "/x/other/file", name), fs.ErrPermission)
		wantError(t, "Exchange with "+name, storage.Exchange(ctx, fsys, "/x/other/file", name), fs.ErrPermission)
		wantError(t, "Mkdir of "+name, fsys.Mkdir(ctx, name, 0o777), fs.ErrExist)
		_, err = storage.ReplaceFile(ctx, fsys, name, storage.Replacing{Perm: 0o666})
		wantError(t, "ReplaceFile of "+name, err, syscall.EISDIR)
	}
	for _, name := range []string{"/y", "/x/y", "/o/IN"} {
		wantError(t, "Mkdir of "+name, fsys.Mkdir(ctx, name, 0o777), fs.ErrPermission)
		_, err := fsys.OpenFile(ctx, name, os.O_RDWR|os.O_CREATE, 0o666)
		wantError(t, "creating "+name, err, fs.ErrPermission)
		_, err = storage.ReplaceFile(ctx, fsys, name, storage.Replacing{Perm: 0o666})
		wantError(t, "ReplaceFile of "+name, err, fs.ErrPermission)
		wantError(t, "Rename to "+name, fsys.Rename(ctx, "/o/file", name), fs.ErrPermission)
		wantError(t, "CopyMember to "+name, storage.CopyMember(ctx, fsys, "/o/file", name, stat(t, fsys, "/o/file"), nil), fs.ErrPermission)
	}
	wantError(t, "Mkdir below a missing collection", fsys.Mkdir(ctx, "/y/z", 0o777), fs.ErrNotExist)
	wantError(t, "SetTimes of a collection of no share", storage.SetTimes(ctx, fsys, "/x", time.Now()), fs.ErrPermission)
	if got := storagetest.ReadTree(t, fsys, "/"); !maps.Equal(got, want) {
		t.Errorf("after all that, the name space contains %q, want %q", got, want)
	}
	wantError(t, "CheckRemoval of a file", storage.CheckRemoval(ctx, fsys, "/o/file"), nil)
	wantError(t, "Mkdir of a member", fsys.Mkdir(ctx, "/o/in/new", 0o777), nil)
}

func stat(t *testing.T, fsys storage.FS, name string) fs.FileInfo {
	t.Helper()
	info, err := storage.Lstat(t.Context(), fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestBetween checks copying and renaming between shares.
func TestBetween(t *testing.T) {
	ctx := t.Context()
	a, b := t.TempDir(), t.TempDir()
	memory := webdav.NewMemFS()
	fsys := newFS(t, directory("a", "/a", a), directory("b", "/b", b), mount.Share{ID: "mem", At: "/mem", Open: func(context.Context, string) (storage.FS, error) { return memory, nil }})
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/a/file": "content", "/a/dir": "/", "/a/dir/x": "x"})
	if err := os.Symlink("nowhere", a+"/link"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "link"} {
		err := storage.CopyMember(ctx, fsys, "/a/"+name, "/b/"+name, stat(t, fsys, "/a/"+name), nil)
		wantError(t, "CopyMember of "+name, err, nil)
	}
	// Only the storage itself can copy a link, so it was asked.
	if text, err := os.Readlink(b + "/link"); text != "nowhere" {
		t.Errorf("the copy of the link: %q, %v", text, err)
	}
	err := storage.CopyMember(ctx, fsys, "/a/file", "/b/no/file", stat(t, fsys, "/a/file"), nil)
	var link *os.LinkError
	if !errors.As(err, &link) || link.Old != "/a/file" || link.New != "/b/no/file" {
		t.Errorf("a copy to a missing collection: %v", err)
	}
	wantError(t, "CopyMember to memory", storage.CopyMember(ctx, fsys, "/a/file", "/mem/file", stat(t, fsys, "/a/file"), nil), nil)
	wantError(t, "Rename to memory", fsys.Rename(ctx, "/a/file", "/mem/new"), syscall.EXDEV)
	wantError(t, "Exchange with memory", storage.Exchange(ctx, fsys, "/a/file", "/mem/file"), errors.ErrUnsupported)
	if err := fsys.Rename(ctx, "/a/dir", "/b/moved"); err != nil && !storage.Immovable(err) {
		t.Error(err)
	}
	err = fsys.Rename(ctx, "/b/none", "/a/none")
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &link) || link.Old != "/b/none" || link.New != "/a/none" {
		t.Errorf("Rename of a missing name: %v", err)
	}
	for _, name := range []string{"/a", "/b"} {
		if id, err := storage.Identity(ctx, fsys, name+"/none"); id == "" || err != nil {
			t.Errorf("the identity of %s: %q, %v", name, id, err)
		}
	}
	if id, err := storage.Identity(ctx, fsys, "/none"); id != "" || err != nil {
		t.Errorf("the identity of no share: %q, %v", id, err)
	}
}

// TestFileIsUnwrapped checks that the kernel can still copy the content of files.
func TestFileIsUnwrapped(t *testing.T) {
	fsys := newFS(t, directory("a", "/a", t.TempDir()))
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/a/file": "content"})
	file, _, err := storage.OpenRead(t.Context(), fsys, "/a/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, ok := file.(*os.File); !ok {
		t.Errorf("the file is a %T", file)
	}
	for _, name := range []string{"/a", "/a/file"} {
		info, err := fsys.Stat(t.Context(), name)
		if err != nil || runtime.GOOS == "linux" && !storage.Direct(info) {
			t.Errorf("%s is not direct: %v, %v", name, info, err)
		}
	}
}

// TestCanonical checks Keys, and that no link leads to a name where another share is mounted.
func TestCanonical(t *testing.T) {
	a := t.TempDir()
	fsys := newFS(t, directory("a", "/s/a", a), directory("b", "/s/a/in", t.TempDir()))
	for link, text := range map[string]string{"up": "d", "into": "in/x", "in2": "in"} {
		if err := os.Symlink(text, a+"/"+link); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Mkdir(a+"/d", 0o777), os.MkdirAll(a+"/in/x", 0o777)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]storage.Canon{
		"/":            {Name: "/", Key: "/"},
		"/s":           {Name: "/s", Key: "/s"},
		"/s/a":         {Name: "/s/a", Key: "/s/a"},
		"/s/a/up/x":    {Name: "/s/a/d/x", Key: "/s/a/d/x", Links: []string{"/s/a/up"}},
		"/s/a/in/none": {Name: "/s/a/in/none", Key: "/s/a/in/none"},
		"/none/x":      {Name: "/none/x", Key: "/none/x"},
	} {
		got, err := storage.Canonical(t.Context(), fsys, name, true)
		if err != nil || got.Name != want.Name || got.Key != want.Key || !slices.Equal(got.Links, want.Links) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
	for _, name := range []string{"/s/a/into", "/s/a/in2/x", "/s/a/in2"} {
		if got, err := storage.Canonical(t.Context(), fsys, name, true); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestUsers checks shares with a storage for each user.
func TestUsers(t *testing.T) {
	base := t.TempDir()
	opened := map[string]int{}
	homes := mount.Share{ID: "home", At: "/home/{user}", Open: func(ctx context.Context, user string) (storage.FS, error) {
		opened[user]++
		dir := filepath.Join(base, user)
		if storage.PrincipalOf(ctx) == user {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return nil, err
			}
		}
		return local.Open(dir)
	}}
	fsys := newFS(t, homes, directory("all", "/home/all", t.TempDir()))
	fsys.MaxUsers = 2
	ann, bob := storage.WithPrincipal(t.Context(), "ann"), storage.WithPrincipal(t.Context(), "bob")
	_, err := fsys.Stat(bob, "/home/ann")
	wantError(t, "Stat of a missing home", err, fs.ErrNotExist)
	wantError(t, "Mkdir in a missing home", fsys.Mkdir(bob, "/home/ann/x", 0o777), fs.ErrNotExist)
	wantError(t, "Mkdir in one's own home", fsys.Mkdir(ann, "/home/ann/x", 0o777), nil)
	for _, c := range []struct {
		ctx  context.Context
		want []string
	}{{ann, []string{"all", "ann"}}, {bob, []string{"all", "bob"}}, {t.Context(), []string{"all"}}, {storage.WithPrincipal(t.Context(), "all"), []string{"all"}}} {
		if got := list(t, c.ctx, fsys, "/home"); !slices.Equal(got, c.want) {
			t.Errorf("%s sees %q, want %q", storage.PrincipalOf(c.ctx), got, c.want)
		}
	}
	wantError(t, "RemoveAll of a home", fsys.RemoveAll(ann, "/home/ann"), fs.ErrPermission)
	for i := range 5 {
		name := fmt.Sprintf("u%d", i)
		wantError(t, "Mkdir", fsys.Mkdir(storage.WithPrincipal(t.Context(), name), "/home/"+name+"/x", 0o777), nil)
	}
	before := opened["ann"]
	if _, err := fsys.Stat(bob, "/home/ann/x"); err != nil {
		t.Error(err)
	}
	if opened["ann"] != before+1 {
		t.Errorf("the home of ann was opened %d times, want %d", opened["ann"], before+1)
	}
	for _, user := range []string{".davd-x", ".DAV", "..", "a\x00", "a\n", "a\x7f", strings.Repeat("a", 256)} {
		_, err := fsys.Stat(storage.WithPrincipal(t.Context(), user), "/home/"+user)
		if user != ".." {
			wantError(t, "Stat of the home of "+user, err, fs.ErrNotExist)
		}
		if opened[user] > 0 {
			t.Errorf("the home of %q was opened", user)
		}
	}
}

// availability is a storage that may be unavailable.
type availability struct {
	storage.FS
	up *atomic.Bool
}

func (a *availability) Available(context.Context) error {
	if a.up.Load() {
		return nil
	}
	return errors.New("no disk")
}

// TestUnavailable checks that a share that can't be opened fails alone, is listed, and returns by
// itself.
func TestUnavailable(t *testing.T) { synctest.Test(t, testUnavailable) }

func testUnavailable(t *testing.T) {
	t.Helper()
	var up atomic.Bool
	var opened, notified atomic.Int32
	shaky := mount.Share{ID: "shaky", At: "/shaky", Open: func(context.Context, string) (storage.FS, error) {
		opened.Add(1)
		if !up.Load() {
			return nil, &fs.PathError{Op: "open", Path: "/srv/shaky", Err: fs.ErrNotExist}
		}
		return &availability{webdav.NewMemFS(), &up}, nil
	}}
	fsys := newFS(t, shaky, directory("a", "/a", t.TempDir()))
	fsys.Opened = func(id, _ string) {
		if id == "shaky" {
			notified.Add(1)
		}
	}
	unavailable := func() {
		t.Helper()
		for range 10 {
			_, err := fsys.Stat(t.Context(), "/shaky/x")
			wantError(t, "Stat", err, storage.ErrUnavailable)
			if errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v says that the name doesn't exist", err)
			}
		}
		wantError(t, "Check", fsys.Check(t.Context()), storage.ErrUnavailable)
		wantMembers(t, fsys, "/", "a", "shaky")
		wantMembers(t, fsys, "/a")
		_, err := storage.List(t.Context(), fsys, "/shaky")
		wantError(t, "List", err, storage.ErrUnavailable)
		wantError(t, "CheckRemoval", storage.CheckRemoval(t.Context(), fsys, "/shaky/x"), storage.ErrUnavailable)
	}
	unavailable()
	if n := opened.Load(); n > 2 {
		t.Errorf("opened %d times within a second", n)
	}
	up.Store(true)
	time.Sleep(2 * time.Second)
	wantError(t, "Mkdir", fsys.Mkdir(t.Context(), "/shaky/x", 0o777), nil)
	up.Store(false)
	time.Sleep(2 * time.Second)
	unavailable()
	up.Store(true)
	time.Sleep(2 * time.Second)
	wantError(t, "Check", fsys.Check(t.Context()), nil)
	synctest.Wait()
	if n := notified.Load(); n != 2 {
		t.Errorf("told %d times that the share has been opened, want 2", n)
	}
}

// closed is a storage that counts how often it is closed.
type closed struct {
	storage.FS
	times *atomic.Int32
}

func (c *closed) Close() error {
	c.times.Add(1)
	return nil
}

// TestSet checks that storages stay open if they are still needed, and are closed after their last
// use if they are not.
func TestSet(t *testing.T) {
	ctx := t.Context()
	var opens, closes atomic.Int32
	share := func(id, at, token string) mount.Share {
		return mount.Share{ID: id, At: at, Token: token, Open: func(context.Context, string) (storage.FS, error) {
			opens.Add(1)
			return &closed{webdav.NewMemFS(), &closes}, nil
		}}
	}
	counts := func(wantOpens, wantCloses int32) {
		t.Helper()
		if opens.Load() != wantOpens || closes.Load() != wantCloses {
			t.Errorf("opened %d and closed %d times, want %d and %d", opens.Load(), closes.Load(), wantOpens, wantCloses)
		}
	}
	fsys := newFS(t, share("a", "/a", "1"), share("b", "/b", "1"))
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/a/file": "a", "/b/file": "b"})
	counts(2, 0)
	wantError(t, "Set", fsys.Set([]mount.Share{share("a", "/new/a", "1"), share("b", "/b", "2")}), nil)
	counts(2, 1)
	if got := storagetest.ReadTree(t, fsys, "/"); !maps.Equal(got, storagetest.Tree{"/new": "/", "/new/a": "/", "/new/a/file": "a", "/b": "/"}) {
		t.Errorf("the name space contains %q", got)
	}
	counts(3, 1)
	for name, shares := range map[string][]mount.Share{
		"two with one name":   {share("a", "/a", ""), share("b", "/a", "")},
		"two with one id":     {share("a", "/a", ""), share("a", "/b", "")},
		"a reserved name":     {share("a", "/.davd-x", "")},
		"a name not clean":    {share("a", "/a/", "")},
		"two users":           {share("a", "/{user}/{user}", "")},
		"an id with a slash":  {share("a/b", "/a", "")},
		"no id":               {share("", "/a", "")},
		"a share without how": {{ID: "a", At: "/a"}},
	} {
		if fsys.Set(shares) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	file, err := fsys.OpenFile(ctx, "/new/a/file", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	pinned, release := storage.Pin(ctx, fsys)
	wantError(t, "Set", fsys.Set(nil), nil)
	counts(3, 1)
	if _, err := fsys.Stat(pinned, "/new/a/file"); err != nil {
		t.Errorf("with the pin: %v", err)
	}
	_, err = fsys.Stat(ctx, "/new/a/file")
	wantError(t, "Stat without the pin", err, fs.ErrNotExist)
	release()
	counts(3, 2)
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	counts(3, 3)
}

// TestPinned checks that an operation finishes on the disk that it has begun on, or fails.
func TestPinned(t *testing.T) { synctest.Test(t, testPinned) }

func testPinned(t *testing.T) {
	t.Helper()
	a, b, c := t.TempDir(), t.TempDir(), t.TempDir()
	var dir atomic.Pointer[string]
	var up atomic.Bool
	dir.Store(&b)
	up.Store(true)
	fsys := newFS(t, directory("s", "/s", a))
	pinned, release := storage.Pin(t.Context(), fsys)
	defer release()
	wantError(t, "Mkdir", fsys.Mkdir(pinned, "/s/a", 0o777), nil)
	wantError(t, "Set", fsys.Set([]mount.Share{{ID: "s", At: "/s", Token: "b", Open: func(context.Context, string) (storage.FS, error) {
		fsys, err := local.Open(*dir.Load())
		return &disk{fsys, &up}, err
	}}}), nil)
	wantError(t, "Mkdir with the pin", fsys.Mkdir(pinned, "/s/a/b", 0o777), nil)
	wantError(t, "Mkdir without it", fsys.Mkdir(t.Context(), "/s/c", 0o777), nil)
	for _, made := range []string{a + "/a/b", b + "/c"} {
		if _, err := os.Stat(made); err != nil {
			t.Error(err)
		}
	}
	pinned, release = storage.Pin(t.Context(), fsys)
	defer release()
	wantError(t, "Mkdir", fsys.Mkdir(pinned, "/s/d", 0o777), nil)
	dir.Store(&c)
	up.Store(false)
	time.Sleep(2 * time.Second)
	wantError(t, "Mkdir on another disk", fsys.Mkdir(pinned, "/s/e", 0o777), storage.ErrUnavailable)
	up.Store(true)
	wantError(t, "Mkdir without a pin", fsys.Mkdir(t.Context(), "/s/f", 0o777), nil)
	wantError(t, "Mkdir on another disk", fsys.Mkdir(pinned, "/s/e", 0o777), storage.ErrUnavailable)
}

// disk is a directory that may be unavailable.
type disk struct {
	*local.FS
	up *atomic.Bool
}

// Available returns an error if the disk is unavailable.
func (d *disk) Available(ctx context.Context) error { return (&availability{up: d.up}).Available(ctx) }
