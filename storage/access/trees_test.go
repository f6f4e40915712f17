package access_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
	"github.com/davd/davd/storage/tree"
)

// noCopier hides everything of an FS but the five methods and links, so that tree operations
// use the fallbacks.
type noCopier struct{ storage.FS }

// treeFS returns an FS of files, with rules for all clients.
func treeFS(t *testing.T, plain bool, rules map[string]storage.Right, files ...string) (*access.FS, string) {
	t.Helper()
	dir := t.TempDir()
	for _, file := range files {
		write(t, filepath.Join(dir, file))
	}
	list := []access.Rule{{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite}}
	for path, rights := range rules {
		list = append(list, access.Rule{Path: path, Subject: access.Anyone(), Rights: rights})
	}
	var inside storage.FS = open(t, dir)
	if plain {
		inside = noCopier{inside}
	}
	return access.New(inside, newPolicy(t, access.Share{At: "/", Rules: list})), dir
}

// left returns the files in dir.
func left(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	for _, name := range names(t, dir) {
		if info, err := os.Lstat(name); err != nil {
			t.Fatal(err)
		} else if !info.IsDir() {
			files = append(files, strings.TrimPrefix(filepath.ToSlash(name), filepath.ToSlash(dir)))
		}
	}
	return files
}

// TestTrees: a copy is decided member by member, by the names that the members will get. A
// collection is moved and removed only as a whole.
func TestTrees(t *testing.T) {
	files := []string{"/d/old", "/d/private/old", "/s/a", "/s/private/b", "/s/private/deep/c"}
	for _, tt := range []struct {
		name  string
		rules map[string]storage.Right
		do    func(tree.Engine) error
		want  []string // the files; nil for no change
		fails bool
	}{
		{
			"COPY to a name below which nothing may be made",
			map[string]storage.Right{"/n/private": storage.RightsNone},
			func(e tree.Engine) error {
				return e.Copy(context.Background(), "/s", "/n", tree.Infinite, nil)
			},
			[]string{"/d/old", "/d/private/old", "/n/a", "/s/a", "/s/private/b", "/s/private/deep/c"},
			true,
		},
		{
			"COPY to a name below which one may only read",
			map[string]storage.Right{"/n/private/deep": storage.RightsRead},
			func(e tree.Engine) error {
				return e.Copy(context.Background(), "/s", "/n", tree.Infinite, nil)
			},
			[]string{"/d/old", "/d/private/old", "/n/a", "/n/private/b", "/s/a", "/s/private/b", "/s/private/deep/c"},
			true,
		},
		{
			"COPY of what may not be seen",
			map[string]storage.Right{"/s/private": storage.RightsNone},
			func(e tree.Engine) error {
				return e.Copy(context.Background(), "/s", "/n", tree.Infinite, nil)
			},
			[]string{"/d/old", "/d/private/old", "/n/a", "/s/a", "/s/private/b", "/s/private/deep/c"},
			false,
		},
		{
			"COPY of what may not be read",
			map[string]storage.Right{"/s/private/deep": storage.RightList},
			func(e tree.Engine) error {
				return e.Copy(context.Background(), "/s", "/n", tree.Infinite, nil)
			},
			[]string{"/d/old", "/d/private/old", "/n/a", "/n/private/b", "/s/a", "/s/private/b", "/s/private/deep/c"},
			true,
		},
		{
			"COPY over what may not be removed",
			map[string]storage.Right{"/d/private": storage.RightsAdd},
			func(e tree.Engine) error {
				return e.Copy(context.Background(), "/s", "/d", tree.Infinite, nil)
			},
			nil, true,
		},
		{
			"COPY of a file to where nothing may be made",
			map[string]storage.Right{"/n": storage.RightsRead},
			func(e tree.Engine) error {
				return e.Copy(context.Background(), "/s/a", "/n", tree.Infinite, nil)
			},
			nil, true,
		},
		{
			"MOVE of what may not be removed",
			map[string]storage.Right{"/s/private": storage.RightsRead},
			func(e tree.Engine) error { return e.Move(context.Background(), "/s", "/n", nil) }, nil, true,
		},
		{
			"MOVE of what may not be seen",
			map[string]storage.Right{"/s/private/deep": storage.RightsNone},
			func(e tree.Engine) error { return e.Move(context.Background(), "/s", "/n", nil) }, nil, true,
		},
		{
			"MOVE of what may not be read",
			map[string]storage.Right{"/s/private/deep": storage.RightsWrite &^ storage.RightRead},
			func(e tree.Engine) error { return e.Move(context.Background(), "/s", "/n", nil) }, nil, true,
		},
		{
			"MOVE to a name below which nothing may be made",
			map[string]storage.Right{"/n/private": storage.RightsNone},
			func(e tree.Engine) error { return e.Move(context.Background(), "/s", "/n", nil) }, nil, true,
		},
		{
			"MOVE over what may not be removed",
			map[string]storage.Right{"/d/private": storage.RightsAdd},
			func(e tree.Engine) error { return e.Move(context.Background(), "/s", "/d", nil) }, nil, true,
		},
		{
			"MOVE without the right to make something at the source",
			map[string]storage.Right{"/s": storage.RightsWrite &^ storage.RightCreate},
			func(e tree.Engine) error { return e.Move(context.Background(), "/s", "/d", nil) },
			[]string{"/d/a", "/d/private/b", "/d/private/deep/c"},
			false,
		},
		{
			"RemoveAll of what may not be seen",
			map[string]storage.Right{"/s/private": storage.RightsNone},
			func(e tree.Engine) error { return e.FS.RemoveAll(context.Background(), "/s") }, nil, true,
		},
	} {
		for _, mode := range []string{"", "plain", "fenced"} {
			t.Run(tt.name, func(t *testing.T) {
				fsys, dir := treeFS(t, mode == "plain", tt.rules, files...)
				engine := tree.Engine{FS: fsys}
				if mode == "fenced" {
					engine.Journal, engine.Fence = new(memJournal), &tree.Fence{Beside: storage.Beside}
				}
				want := tt.want
				if want == nil {
					want = left(t, dir)
				}
				err := tt.do(engine)
				if (err != nil) != tt.fails {
					t.Errorf("error: %v", err)
				}
				if got := left(t, dir); !slices.Equal(got, want) {
					t.Errorf("%v, want %v (%v)", got, want, err)
				}
			})
		}
	}
}

// memJournal forgets its records.
type memJournal struct{}

func (*memJournal) SaveRecord(context.Context, string, []byte) error     { return nil }
func (*memJournal) DeleteRecord(context.Context, string) error           { return nil }
func (*memJournal) LoadRecords(context.Context) (none [][]byte, _ error) { return nil, nil }

// TestStagedByLink: if the collection that contains the destination is a link, the target of the
// link also decides about the members.
func TestStagedByLink(t *testing.T) {
	fsys, dir := treeFS(t, false, map[string]storage.Right{"/real/n/private": storage.RightsNone}, "/s/a", "/s/private/b", "/real/x")
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	_ = tree.Engine{FS: fsys}.Copy(context.Background(), "/s", "/link/n", tree.Infinite, nil)
	if _, err := os.Stat(filepath.Join(dir, "real", "n", "private")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a member that the rules forbid: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "real", "n", "a")); err != nil {
		t.Error(err)
	}
}

// TestStagedFiles: the rules for the destination also hold for a stage that is written with calls
// of the FS, and what a refused operation has staged can be removed.
func TestStagedFiles(t *testing.T) {
	fsys, dir := treeFS(t, false, map[string]storage.Right{"/d/private": storage.RightsRead}, "/x")
	ctx, staging := storage.WithStaging(context.Background())
	staging.Set("/.davd-1", "/d")
	if err := fsys.Mkdir(ctx, "/.davd-1", 0o777); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"/.davd-1/private": false, "/.davd-1/Private": false, "/.davd-1/public": true} {
		if err := fsys.Mkdir(ctx, name, 0o777); (err == nil) != want {
			t.Errorf("Mkdir %s: %v", name, err)
		}
		if err := fsys.RemoveAll(ctx, name); err != nil {
			t.Error(err)
		}
		f, err := fsys.OpenFile(ctx, name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if (err == nil) != want {
			t.Errorf("OpenFile %s: %v", name, err)
		}
		if err == nil {
			_ = f.Close()
		}
		write(t, filepath.Join(dir, name))
		if _, err := storage.ReplaceFile(ctx, fsys, name, storage.Replacing{}); (err == nil) != want {
			t.Errorf("ReplaceFile %s: %v", name, err)
		}
		if _, err := fsys.Stat(ctx, name); err != nil {
			t.Error(err)
		}
		for _, err := range storage.RemoveMembers(ctx, fsys, "/.davd-1", []string{filepath.Base(name)}) {
			if err != nil {
				t.Error(err)
			}
		}
	}
	if err := fsys.Mkdir(ctx, "/.davd-other", 0o777); err != nil {
		t.Errorf("another reserved name: %v", err)
	}
}

// TestSetPolicy: a right that is taken away is gone at the next call, and what the operation has
// staged can be removed. The destination is as it was.
func TestSetPolicy(t *testing.T) {
	fsys, dir := treeFS(t, false, nil, "/s/a", "/s/b", "/d/old")
	before := left(t, dir)
	none := newPolicy(t, access.Share{At: "/", Rules: []access.Rule{{Path: "/", Subject: access.Anyone(), Rights: storage.RightsNone}}})
	mon := new(tree.Monitor)
	engine := tree.Engine{FS: revoking{fsys, func() { fsys.SetPolicy(none) }}}
	if err := engine.Copy(context.Background(), "/s", "/d", tree.Infinite, mon); !errors.Is(err, storage.ErrRefused) {
		t.Errorf("error: %v", err)
	}
	if after := left(t, dir); !slices.Equal(before, after) {
		t.Errorf("%v, want %v", after, before)
	}
}

// revoking takes the rights away when the staged tree has been made.
type revoking struct {
	*access.FS
	revoke func()
}

func (r revoking) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	err := r.FS.Mkdir(ctx, name, perm)
	r.revoke()
	return err
}

// TestChange: while what an FS contains changes, principals have the rights that both policies give.
// An operation that has begun before never gets others than it had.
func TestChange(t *testing.T) {
	const both, old, after = "/both", "/old", "/new"
	give := func(paths ...string) *access.Policy {
		rules := []access.Rule{{Path: "/", Subject: access.User("ann"), Rights: storage.RightList}}
		for _, path := range paths {
			rules = append(rules, access.Rule{Path: path, Subject: access.User("ann"), Rights: storage.RightsWrite})
		}
		return newPolicy(t, access.Share{At: "/", Rules: rules})
	}
	dir := t.TempDir()
	for _, name := range []string{both, old, after} {
		write(t, filepath.Join(dir, name, "f"))
		if err := os.Symlink("."+name, filepath.Join(dir, "to-"+name[1:])); err != nil {
			t.Skip(err)
		}
	}
	a := access.New(open(t, dir), give(both, old))
	ctx := storage.WithPrincipal(t.Context(), "ann")
	pinned, release := a.Pin(ctx)
	defer release()
	again, releaseAgain := a.Pin(pinned)
	defer releaseAgain()
	check := func(when string, ctx context.Context, names ...string) {
		t.Helper()
		for _, name := range []string{both, old, after} {
			_, err := a.Stat(ctx, name+"/f")
			mayDelete := a.Allowed(ctx, name+"/f", storage.RightDelete, true)
			byLink := a.Allowed(ctx, "/to-"+name[1:]+"/f", storage.RightList, false)
			want := slices.Contains(names, name)
			if err != nil || (mayDelete == nil) != want || byLink != nil {
				t.Errorf("%s, %s: error %v, delete %v, by link %v", when, name, err, mayDelete, byLink)
			}
			if err := a.Allowed(ctx, "/to-"+name[1:]+"/f", storage.RightDelete, false); err == nil {
				t.Errorf("%s: a link gives rights", when)
			}
		}
	}
	check("before", ctx, both, old)
	failed := errors.New("failed")
	if err := a.Change(give(both, after), func() error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	check("after a failure", ctx, both, old)
	next := give(both, after)
	if err := a.Change(next, func() error {
		check("meanwhile", ctx, both)
		check("meanwhile, pinned", pinned, both)
		return nil
	}); err != nil {
		t.Error(err)
	}
	check("afterwards", ctx, both, after)
	check("afterwards, pinned", pinned, both)
	check("afterwards, pinned twice", again, both)
	if a.Policy() != next {
		t.Error("another policy")
	}
	for name, want := range map[string]bool{"/": true, both: true, "/none": true} {
		if next.Shows(storage.Login{Principal: "ann"}, name) != want || next.Shows(storage.Login{}, "/x") {
			t.Errorf("Shows(%s)", name)
		}
	}
}

// TestPinnedLinks: an operation has rights at a link only if the policy from its start also
// gives them at the target.
func TestPinnedLinks(t *testing.T) {
	rules := func(hidden string) *access.Policy {
		return newPolicy(t, access.Share{At: "/", Rules: []access.Rule{
			{Path: "/", Subject: access.Users(), Rights: storage.RightsWrite}, {Path: hidden, Subject: access.Users(), Rights: storage.RightsNone},
		}})
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a/f"))
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	a := access.New(open(t, dir), rules("/a"))
	ctx := storage.WithPrincipal(t.Context(), "ann")
	pinned, release := a.Pin(ctx)
	defer release()
	a.SetPolicy(rules("/b"))
	if _, err := a.Stat(ctx, "/link/f"); err != nil {
		t.Error(err)
	}
	if _, err := a.Stat(pinned, "/link/f"); !errors.Is(err, storage.ErrRefused) {
		t.Error(err)
	}
}

// TestHiddenLink: a name that passes a link in a hidden collection is hidden, wherever it ends.
func TestHiddenLink(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "open/f"))
	write(t, filepath.Join(dir, "hidden/f"))
	for name, target := range map[string]string{"open/link": "../hidden/link", "hidden/link": "../open"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	a := access.New(open(t, dir), newPolicy(t, access.Share{At: "/", Rules: []access.Rule{
		{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite}, {Path: "/hidden", Subject: access.Anyone(), Rights: storage.RightsNone},
	}}))
	for _, name := range []string{"/open/link", "/open/link/f"} {
		if _, err := a.Stat(t.Context(), name); !errors.Is(err, storage.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.Stat(t.Context(), "/open/f"); err != nil {
		t.Error(err)
	}
}

// TestWithheldMembers: a login that only reads can't change members, even if all names of the share
// have the same rights.
func TestWithheldMembers(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "from/f"))
	write(t, filepath.Join(dir, "to/g"))
	a := access.New(open(t, dir), newPolicy(t, access.Share{At: "/"}))
	ctx := storage.WithRightsAtMost(storage.WithPrincipal(t.Context(), "ann"), storage.RightsRead)
	info := describe(t, a.FS, "/from/f")
	if err := only(a.CopyMembers(ctx, storage.Copying{From: "/from", To: "/to", Members: []fs.FileInfo{info}})); !errors.Is(err, storage.ErrRefused) {
		t.Errorf("copied: %v", err)
	}
	if err := only(a.RemoveMembers(ctx, "/from", []string{"f"})); !errors.Is(err, storage.ErrRefused) {
		t.Errorf("removed: %v", err)
	}
	if err := a.Rename(ctx, "/from/f", "/to/f"); !errors.Is(err, storage.ErrRefused) {
		t.Errorf("renamed: %v", err)
	}
}
