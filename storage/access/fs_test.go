package access_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

func open(t testing.TB, dir string) *local.FS {
	t.Helper()
	fsys, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	return fsys
}

func newPolicy(t testing.TB, shares ...access.Share) *access.Policy {
	t.Helper()
	p, err := access.NewPolicy(shares, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// dirOf is a share with the directory that has its files.
type dirOf struct {
	*access.FS
	dir string
}

// TestConformance: for a principal with all rights, an FS is as good as the one inside, whether
// other names have other rules or not.
func TestConformance(t *testing.T) {
	for name, rules := range map[string][]access.Rule{
		"uniform": {{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite}},
		"not uniform": {
			{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite},
			{Path: "/never/made", Subject: access.Anyone(), Rights: storage.RightsNone},
		},
	} {
		t.Run(name, func(t *testing.T) {
			pathIn := func(t *testing.T, fsys storage.FS, name string) string {
				t.Helper()
				d, ok := fsys.(dirOf)
				if !ok {
					t.Fatalf("a %T is not from New", fsys)
				}
				return filepath.Join(d.dir, filepath.FromSlash(name))
			}
			storagetest.Suite{
				New: func(t *testing.T) storage.FS {
					t.Helper()
					dir := t.TempDir()
					return dirOf{access.New(open(t, dir), newPolicy(t, access.Share{At: "/", Rules: rules})), dir}
				},
			}.OnDisk(pathIn).Run(t)
		})
	}
}

// TestPlainConformance is TestConformance for an FS inside without capabilities.
func TestPlainConformance(t *testing.T) {
	storagetest.Suite{
		New: func(t *testing.T) storage.FS {
			t.Helper()
			return access.New(struct{ storage.FS }{open(t, t.TempDir())}, newPolicy(t, access.Share{At: "/", Rules: []access.Rule{
				{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite},
				{Path: "/never/made", Subject: access.Anyone(), Rights: storage.RightsNone},
			}}))
		},
		Tiers: []storagetest.Tier{storagetest.Required},
	}.Run(t)
}

// rightsTree returns an FS with a collection for each right: in /read the principal has only
// that right, and so on. In /not-read it has all others, in /all all and in /hidden none. Those
// of the collections that exist contain some files.
func rightsTree(t testing.TB, existing ...string) (*access.FS, string) {
	t.Helper()
	dir := t.TempDir()
	rules := []access.Rule{
		{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite},
		{Path: "/hidden", Subject: access.Anyone(), Rights: storage.RightsNone},
	}
	for i := range 6 {
		right := storage.Right(1 << i)
		for prefix, rights := range map[string]storage.Right{"/": right, "/not-": storage.RightsWrite &^ right} {
			rules = append(rules, access.Rule{Path: prefix + nameOf(t, right), Subject: access.Anyone(), Rights: rights})
		}
	}
	for _, name := range append(existing, "all", "hidden") {
		write(t, filepath.Join(dir, name, "file"))
		write(t, filepath.Join(dir, name, "sub", "file"))
	}
	return access.New(open(t, dir), newPolicy(t, access.Share{At: "/", Rules: rules})), dir
}

// nameOf returns the name of a single right.
func nameOf(t testing.TB, right storage.Right) string {
	t.Helper()
	for _, name := range []string{"list", "read", "create", "write", "delete", "lock"} {
		if parsed, err := storage.ParseRights(name, name); err != nil {
			t.Fatal(err)
		} else if parsed == right {
			return name
		}
	}
	t.Fatalf("%d has no name", right)
	return ""
}

func write(t testing.TB, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("content"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// call is a call of an FS in a collection dir, and the right that it needs there.
type call struct {
	name string
	need storage.Right
	do   func(ctx context.Context, fsys storage.FS, dir string) error
}

func only(results func(func(string, error) bool)) error {
	for _, err := range results {
		return err
	}
	return errors.New("no result")
}

func describe(t testing.TB, fsys storage.FS, name string) fs.FileInfo {
	t.Helper()
	info, err := storage.Lstat(storage.Unrestricted(context.Background()), fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func calls(t testing.TB) []call {
	t.Helper()
	open := func(base string, flag int) func(context.Context, storage.FS, string) error {
		return func(ctx context.Context, fsys storage.FS, dir string) error {
			f, err := fsys.OpenFile(ctx, path.Join(dir, base), flag, 0o666)
			if err != nil {
				return err
			}
			return f.Close()
		}
	}
	replace := func(base string, patch bool) func(context.Context, storage.FS, string) error {
		return func(ctx context.Context, fsys storage.FS, dir string) error {
			r := storage.Replacing{Perm: 0o666}
			if patch {
				r.Patch = func(fs.FileInfo) (int64, error) { return 0, nil }
			}
			begun, err := storage.ReplaceFile(ctx, fsys, path.Join(dir, base), r)
			if err != nil {
				return err
			}
			_, err = begun.Commit(ctx, storage.Placing{})
			return err
		}
	}
	return []call{
		{"mkdir", storage.RightCreate, func(ctx context.Context, fsys storage.FS, dir string) error {
			return fsys.Mkdir(ctx, dir+"/new", 0o777)
		}},
		{"read", storage.RightRead, open("file", os.O_RDONLY)},
		{"open a collection", storage.RightList, open("sub", os.O_RDONLY)},
		{"open read", storage.RightRead, func(ctx context.Context, fsys storage.FS, dir string) error {
			f, _, err := storage.OpenRead(ctx, fsys, dir+"/file")
			if err == nil {
				err = f.Close()
			}
			return err
		}},
		{"open read of a collection", storage.RightList, func(ctx context.Context, fsys storage.FS, dir string) error {
			f, _, err := storage.OpenRead(ctx, fsys, dir+"/sub")
			if err == nil {
				err = f.Close()
			}
			return err
		}},
		{"list", storage.RightList, func(ctx context.Context, fsys storage.FS, dir string) error {
			l, err := storage.List(ctx, fsys, dir)
			if err == nil {
				err = l.Close()
			}
			return err
		}},
		{"write", storage.RightWrite, open("file", os.O_WRONLY)},
		{"truncate", storage.RightWrite, open("file", os.O_WRONLY|os.O_TRUNC)},
		{"create or write the file", storage.RightWrite, open("file", os.O_WRONLY|os.O_CREATE|os.O_TRUNC)},
		{"read and write", storage.RightWrite | storage.RightRead, open("file", os.O_RDWR)},
		{"create or write a new file", storage.RightCreate, open("new", os.O_RDWR|os.O_CREATE)},
		{"create", storage.RightCreate, open("new", os.O_RDWR|os.O_CREATE|os.O_EXCL)},
		{"stat", 0, func(ctx context.Context, fsys storage.FS, dir string) error {
			_, err := fsys.Stat(ctx, dir+"/file")
			return err
		}},
		{"lstat", 0, func(ctx context.Context, fsys storage.FS, dir string) error {
			_, err := storage.Lstat(ctx, fsys, dir+"/sub")
			return err
		}},
		{"settimes", storage.RightWrite, func(ctx context.Context, fsys storage.FS, dir string) error {
			return storage.SetTimes(ctx, fsys, dir+"/file", time.Unix(1, 0))
		}},
		{"space", 0, func(ctx context.Context, fsys storage.FS, dir string) error {
			_, _, err := storage.Space(ctx, fsys, dir)
			return err
		}},
		{"replace", storage.RightWrite, replace("file", false)},
		{"replace a missing file", storage.RightCreate, replace("new", false)},
		{"patch", storage.RightWrite, replace("file", true)},
		{"remove a file", storage.RightDelete, func(ctx context.Context, fsys storage.FS, dir string) error {
			return storage.Remove(ctx, fsys, dir+"/file")
		}},
		{"remove all", storage.RightDelete, func(ctx context.Context, fsys storage.FS, dir string) error {
			return fsys.RemoveAll(ctx, dir+"/sub")
		}},
		{"rename from here", storage.RightsRead | storage.RightDelete, func(ctx context.Context, fsys storage.FS, dir string) error {
			return fsys.Rename(ctx, dir+"/sub", "/all/new")
		}},
		{"rename to here", storage.RightCreate, func(ctx context.Context, fsys storage.FS, dir string) error {
			return fsys.Rename(ctx, "/all/sub", dir+"/new")
		}},
		{"rename over a file", storage.RightCreate | storage.RightDelete, func(ctx context.Context, fsys storage.FS, dir string) error {
			return fsys.Rename(ctx, "/all/file", dir+"/file")
		}},
		{"rename aside", storage.RightDelete, func(ctx context.Context, fsys storage.FS, dir string) error {
			return fsys.Rename(ctx, dir+"/file", dir+"/.davd-aside")
		}},
		{"swap", storage.RightsRead | storage.RightDelete | storage.RightCreate, func(ctx context.Context, fsys storage.FS, dir string) error {
			return storage.Exchange(ctx, fsys, dir+"/sub", "/all/sub")
		}},
		{"swap back", storage.RightsRead | storage.RightDelete | storage.RightCreate, func(ctx context.Context, fsys storage.FS, dir string) error {
			return storage.Exchange(ctx, fsys, "/all/sub", dir+"/sub")
		}},
		{"copy from here", storage.RightRead, func(ctx context.Context, fsys storage.FS, dir string) error {
			return only(storage.CopyMembers(ctx, fsys, storage.Copying{
				From: dir, To: "/all", As: "new", Members: []fs.FileInfo{describe(t, fsys, dir+"/file")},
			}))
		}},
		{"copy to here", storage.RightCreate, func(ctx context.Context, fsys storage.FS, dir string) error {
			return only(storage.CopyMembers(ctx, fsys, storage.Copying{
				From: "/all", To: dir, As: "new", Members: []fs.FileInfo{describe(t, fsys, "/all/file")},
			}))
		}},
	}
}

// TestCalls: each call needs its rights and no others. It fails with fs.ErrPermission without
// them, and nothing exists for a principal that has no right at all.
func TestCalls(t *testing.T) {
	for _, c := range calls(t) {
		t.Run(c.name, func(t *testing.T) {
			for i := range 6 {
				right := storage.Right(1 << i)
				base := nameOf(t, right)
				fsys, _ := rightsTree(t, "not-"+base, base)
				err := c.do(context.Background(), fsys, "/not-"+base)
				if needs := c.need&right != 0; needs && !refused(err) || !needs && err != nil {
					t.Errorf("without %s: %v", base, err)
				}
				if err == nil {
					fsys, _ = rightsTree(t, base)
				}
				err = c.do(context.Background(), fsys, "/"+base)
				if enough := right.Has(c.need); enough && err != nil || !enough && !refused(err) {
					t.Errorf("with only %s: %v", base, err)
				}
			}
			fsys, dir := rightsTree(t)
			before := names(t, dir)
			if err := c.do(context.Background(), fsys, "/hidden"); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("hidden: %v", err)
			}
			if after := names(t, dir); !slices.Equal(before, after) {
				t.Errorf("the call changed something: %v", after)
			}
			// The server itself may do everything.
			if err := c.do(storage.Unrestricted(context.Background()), fsys, "/hidden"); err != nil {
				t.Errorf("unrestricted: %v", err)
			}
		})
	}
}

// refused reports whether err says that a right is missing. A swap that lacks one can still be
// made of two renames, if they are allowed.
func refused(err error) bool {
	return errors.Is(err, storage.ErrRefused) && errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported)
}

func names(t testing.TB, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		found = append(found, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestHiddenMembers: listings leave out what the principal may not see, in every way to list.
func TestHiddenMembers(t *testing.T) {
	shown := []string{"read", "not-read", "list", "all"}
	fsys, _ := rightsTree(t, shown[:3]...)
	ctx := context.Background()
	var listed []string
	for info, err := range storage.ReadDir(ctx, fsys, "/") {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, info.Name())
	}
	if len(listed) != len(shown) || slices.Contains(listed, "hidden") {
		t.Errorf("List: %v", listed)
	}
	f, err := fsys.OpenFile(ctx, "/", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var found int
	for {
		infos, err := f.Readdir(1)
		found += len(infos)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(infos) != 1 || infos[0].Name() == "hidden" {
			t.Fatalf("Readdir: %v, %v", infos, err)
		}
	}
	if found != len(shown) {
		t.Errorf("Readdir found %d", found)
	}
}

// TestWayThrough: a principal that may see only a collection deep in a share also sees the way
// there, and nothing beside it.
func TestWayThrough(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a", "b", "c", "file"))
	write(t, filepath.Join(dir, "a", "b", "x"))
	write(t, filepath.Join(dir, "a", "y"))
	fsys := access.New(open(t, dir), newPolicy(t, access.Share{At: "/", Rules: []access.Rule{
		{Path: "/", Subject: access.Users(), Rights: storage.RightsNone},
		{Path: "/a/b/c", Subject: access.Anyone(), Rights: storage.RightsRead},
	}}))
	ann := storage.WithPrincipal(context.Background(), "ann")
	for name, member := range map[string]string{"/": "a", "/a": "b", "/a/b": "c", "/a/b/c": "file"} {
		if _, err := fsys.Stat(ann, name); err != nil {
			t.Error(err)
		}
		var found []string
		for info, err := range storage.ReadDir(ann, fsys, name) {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, info.Name())
		}
		if !slices.Equal(found, []string{member}) {
			t.Errorf("%s: %v", name, found)
		}
		// A client without a name doesn't get a listing of what is only a way. It is asked for
		// a password instead.
		_, err := storage.List(context.Background(), fsys, name)
		if open := name == "/a/b/c"; open && err != nil || !open && !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s without a name: %v", name, err)
		}
	}
}

// TestLinks: a link gives no rights, wherever it is in a name, and whichever call follows it.
func TestLinks(t *testing.T) {
	for _, c := range calls(t) {
		t.Run(c.name, func(t *testing.T) {
			for _, dir := range []string{"/pub/link", "/pub/twice", "/pub/deep/sub/.."} {
				fsys, root := rightsTree(t)
				write(t, filepath.Join(root, "pub", "file"))
				for name, target := range map[string]string{"link": "../hidden", "twice": "link", "deep": "../hidden"} {
					if err := os.Symlink(target, filepath.Join(root, "pub", name)); err != nil {
						t.Skip(err)
					}
				}
				before := names(t, root)
				err := c.do(context.Background(), fsys, storage.Clean(dir))
				if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("%s: %v", dir, err)
				}
				if after := names(t, root); !slices.Equal(before, after) {
					t.Errorf("%s: the call changed something: %v", dir, after)
				}
			}
		})
	}
}

// TestLinkItself: a principal may remove and rename its own link, wherever that leads. What it
// leads to doesn't matter, and stays.
func TestLinkItself(t *testing.T) {
	fsys, root := rightsTree(t, "not-read")
	for _, name := range []string{"a", "b"} {
		if err := os.Symlink("hidden", filepath.Join(root, name)); err != nil {
			t.Skip(err)
		}
	}
	ctx := context.Background()
	if _, err := fsys.Stat(ctx, "/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
	if err := fsys.Rename(ctx, "/a", "/all/a"); err != nil {
		t.Error(err)
	}
	if err := storage.Remove(ctx, fsys, "/b"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "hidden", "file")); err != nil {
		t.Error(err)
	}
	// But a link from a place where the principal may not read is no way to read.
	if err := os.Symlink("../all", filepath.Join(root, "not-read", "l")); err != nil {
		t.Fatal(err)
	}
	if _, err := fsys.OpenFile(ctx, "/not-read/l/file", os.O_RDONLY, 0); !refused(err) {
		t.Errorf("through a collection that can't be read: %v", err)
	}
}

// TestDeadProps: a file that keeps properties can't be changed by a principal that may only read
// it.
func TestDeadProps(t *testing.T) {
	ctx := context.Background()
	mem := webdav.NewMemFS()
	f, err := mem.OpenFile(ctx, "/f", os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	share := func(rights storage.Right) *access.FS {
		return access.New(mem, newPolicy(t, access.Share{At: "/", Rules: []access.Rule{{Path: "/", Subject: access.Anyone(), Rights: rights}}}))
	}
	for rights, want := range map[storage.Right]bool{storage.RightsRead: false, storage.RightsWrite: true} {
		f, err := share(rights).OpenFile(ctx, "/f", os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		holder, ok := f.(webdav.DeadPropsHolder)
		if !ok {
			t.Fatal("no properties")
		}
		if _, err := holder.DeadProps(); err != nil {
			t.Error(err)
		}
		if _, err := holder.Patch(nil); (err == nil) != want {
			t.Errorf("%v: %v", rights, err)
		}
		_ = f.Close()
	}
	if _, err := storage.ReadDeadProps(ctx, share(storage.RightCreate), "/f"); !refused(err) {
		t.Errorf("ReadDeadProps: %v", err)
	}
	if _, err := storage.ReadDeadProps(ctx, share(storage.RightRead), "/f"); err != nil {
		t.Errorf("ReadDeadProps: %v", err)
	}
}

// TestHeld: only reserved members of a held collection can be removed.
func TestHeld(t *testing.T) {
	fsys, _ := rightsTree(t)
	ctx := context.Background()
	held, err := storage.Hold(ctx, fsys, "/all")
	if err != nil {
		t.Skip(err)
	}
	defer held.Close()
	if err := held.RemoveAll(ctx, "file"); !refused(err) {
		t.Errorf("file: %v", err)
	}
	if err := held.RemoveAll(ctx, ".davd-x"); err != nil {
		t.Error(err)
	}
}

// TestCommitAgain: a principal that may only create files can't replace one that appears while
// it writes, and one that may only replace files can't create one again.
func TestCommitAgain(t *testing.T) {
	fsys, root := rightsTree(t, "not-write", "not-create")
	ctx := context.Background()
	begun, err := storage.ReplaceFile(ctx, fsys, "/not-write/late", storage.Replacing{Perm: 0o666})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "not-write", "late"))
	if _, err := begun.Commit(ctx, storage.Placing{}); err == nil {
		t.Error("the file was replaced")
	}
	begun, err = storage.ReplaceFile(ctx, fsys, "/not-create/file", storage.Replacing{Perm: 0o666})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "not-create", "file")); err != nil {
		t.Fatal(err)
	}
	if _, err := begun.Commit(ctx, storage.Placing{}); !refused(err) {
		t.Errorf("the file was created: %v", err)
	}
}

// TestUniformCost: where all names of a share have the same rights, an FS allocates nothing and
// makes no further call.
func TestUniformCost(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "photos", "file"))
	inside := open(t, dir)
	fsys := access.New(inside, newPolicy(t, access.Share{At: "/photos"}, access.Share{At: "/other"}))
	ctx := storage.WithPrincipal(context.Background(), "ann")
	stat := func(fsys storage.FS) float64 {
		return testing.AllocsPerRun(100, func() {
			if _, err := fsys.Stat(ctx, "/photos/file"); err != nil {
				t.Fatal(err)
			}
		})
	}
	if with, without := stat(fsys), stat(inside); with > without {
		t.Errorf("Stat allocates %v times, %v without rights", with, without)
	}
	f, err := fsys.OpenFile(ctx, "/photos/file", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := inside.OpenFile(ctx, "/photos/file", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	_, is := f.(io.ReaderFrom)
	if _, want := plain.(io.ReaderFrom); is != want {
		t.Error("the file hides the way to the kernel")
	}
}
