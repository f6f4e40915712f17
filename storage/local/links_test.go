package local_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

// policies are the policies for symbolic links. Denying links has a second implementation, a look at
// each segment, for kernels without openat2.
var policies = []struct {
	name            string
	links           local.Links
	each            bool
	follows, leaves bool
}{
	{"inside", local.LinksInside, false, true, false},
	{"deny", local.LinksDeny, false, false, false},
	{"deny, each segment", local.LinksDeny, true, false, false},
	{"follow", local.LinksFollow, false, true, true},
}

// eachPolicy runs test on a share with each policy.
func eachPolicy(t *testing.T, test func(t *testing.T, s share, follows, leaves bool)) {
	t.Helper()
	for _, p := range policies {
		t.Run(p.name, func(t *testing.T) {
			s := newShareWith(t, local.Options{Links: p.links})
			if p.each {
				s.CheckEach()
			}
			test(t, s, p.follows, p.leaves)
		})
	}
}

func TestConformanceOfPolicies(t *testing.T) {
	for _, p := range policies[1:] {
		t.Run(p.name, func(t *testing.T) {
			suite := suite(func(t *testing.T) storage.FS {
				t.Helper()
				s := newShareIn(t, shortDir(t), local.Options{Links: p.links})
				if p.each {
					s.CheckEach()
				}
				return s
			})
			suite.FollowsLinks, suite.FollowsOutside = p.follows, p.leaves
			suite.Run(t)
		})
	}
}

// shortDir returns a new directory. LinksFollow puts its path before each name, and the system limits
// the length of both. The path of t.TempDir contains the name of the test, and may leave too little
// of the limit for names of 4,000 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "s") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(parent); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(parent, "d") // A test may create a file beside it.
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLinksNames(t *testing.T) {
	for links, name := range map[local.Links]string{local.LinksInside: "inside", local.LinksDeny: "deny", local.LinksFollow: "follow", 3: "Links(3)"} {
		if got := links.String(); got != name {
			t.Errorf("%d is %q, want %q", int(links), got, name)
		}
	}
	if fsys, err := local.OpenWith(t.TempDir(), local.Options{Links: 3}); err == nil {
		t.Errorf("OpenWith the policy %v returns %v", local.Links(3), fsys)
	}
}

// TestCloseOfPolicies checks that every call fails after Close.
func TestCloseOfPolicies(t *testing.T) {
	for _, p := range policies {
		fsys, err := local.OpenWith(t.TempDir(), local.Options{Links: p.links})
		if err != nil {
			t.Fatal(err)
		}
		if err := fsys.Close(); err != nil {
			t.Error(err)
		}
		_, stat := fsys.Stat(t.Context(), "/")
		_, lstat := fsys.Lstat(t.Context(), "/a")
		_, open := fsys.OpenFile(t.Context(), "/a", os.O_RDWR|os.O_CREATE, 0o666)
		for call, err := range map[string]error{
			"Stat": stat, "Lstat": lstat, "OpenFile": open, "Mkdir": fsys.Mkdir(t.Context(), "/a", 0o777),
			"Remove": storage.Remove(t.Context(), fsys, "/a"), "RemoveAll": fsys.RemoveAll(t.Context(), "/a"),
			"Rename": fsys.Rename(t.Context(), "/a", "/b"), "CopyMember": storage.CopyMember(t.Context(), fsys, "/a", "/b", linkInfo(t), nil),
		} {
			if !errors.Is(err, fs.ErrClosed) {
				t.Errorf("%s: %s after Close: %v, want fs.ErrClosed", p.name, call, err)
			}
		}
	}
}

// web creates collections and files, with links of each kind in /dir. Some links lead to the
// directory outside.
func web(t *testing.T, s share) (outside string) {
	t.Helper()
	outside = t.TempDir()
	storagetest.WriteTree(t, s, storagetest.Tree{
		"/dir": "/", "/dir/file": "file", "/real": "/", "/real/sub": "/", "/real/sub/x": "x", "/empty": "/", "/copies": "/",
	})
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"/dir/near": "file", "/dir/far": "../real/sub/x", "/dir/collection": "../real", "/dir/dangling": "no",
		"/dir/loop": "loop", "/dir/out": outside, "/dir/secret": filepath.Join(outside, "secret"), "/real/sub/up": "../../dir",
	} {
		if err := os.Symlink(text, s.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	return outside
}

// TestPoliciesOfBatches checks that the calls that open a collection once follow the policy, both on
// the way to the collection and for each member.
func TestPoliciesOfBatches(t *testing.T) {
	eachPolicy(t, func(t *testing.T, s share, follows, leaves bool) {
		outside := web(t, s)
		ctx := t.Context()
		for _, test := range []struct {
			src, dst, member string
			want             bool
		}{
			{"/dir", "/copies", "file", true},
			{"/dir", "/copies", "near", follows},
			{"/dir", "/copies", "far", follows},
			{"/dir/collection/sub", "/copies", "x", follows},
			{"/dir", "/dir/collection/sub/up/collection", "file", follows},
			{"/dir", "/copies", "secret", leaves},
			{"/dir/out", "/empty", "secret", leaves},
			{"/dir", "/dir/out", "file", leaves},
			{"/dir", "/copies", "dangling", false},
			{"/dir", "/copies", "loop", false},
		} {
			info, err := os.Lstat(s.path("/dir/file"))
			if err != nil {
				t.Fatal(err)
			}
			info = storage.Named(info, test.member)
			for name, err := range s.CopyMembers(ctx, storage.Copying{From: test.src, To: test.dst, Members: []fs.FileInfo{info}}) {
				if (err == nil) != test.want || err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
					t.Errorf("copying %s from %s to %s: %v, want success: %t", name, test.src, test.dst, err, test.want)
				}
			}
		}
		for _, test := range []struct {
			dir, member string
			want        bool
		}{
			{"/dir/collection/sub", "x", follows},
			{"/dir/out", "file", leaves},
			{"/dir", "near", true},
			{"/dir", "out", true},
			{"/dir", "loop", true},
		} {
			for name, err := range s.RemoveMembers(ctx, test.dir, []string{test.member}) {
				if (err == nil) != test.want || err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
					t.Errorf("removing %s from %s: %v, want success: %t", name, test.dir, err, test.want)
				}
			}
		}
		if content, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(content) != "secret" {
			t.Errorf("the file outside reads %q, %v", content, err)
		}
	})
}

// TestPoliciesOfCapabilities checks optional calls on a link and through a link.
func TestPoliciesOfCapabilities(t *testing.T) {
	eachPolicy(t, func(t *testing.T, s share, follows, leaves bool) {
		web(t, s)
		for name, want := range map[string]bool{
			"/dir": true, "/dir/near": follows, "/dir/collection/sub/x": follows, "/dir/collection": follows,
			"/dir/out": leaves, "/dir/secret": leaves, "/dir/out/secret": leaves, "/dir/dangling": false, "/dir/loop": false,
		} {
			_, _, space := s.Space(t.Context(), name)
			_, stat := s.Stat(t.Context(), name)
			for call, err := range map[string]error{"Space": space, "Stat": stat} {
				if err == nil || errors.Is(err, errors.ErrUnsupported) {
					if !want {
						t.Errorf("%s(%q): %v, want fs.ErrNotExist", call, name, err)
					}
				} else if want || !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s(%q): %v, want success: %t", call, name, err, want)
				}
			}
			// For Lstat, only a link on the way matters, not one at the end.
			way := want || path.Dir(name) == "/dir"
			if _, err := s.Lstat(t.Context(), name); (err == nil) != way || err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Lstat(%q): %v, want success: %t", name, err, way)
			}
			info, err := s.Stat(t.Context(), "/dir/file")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SetTimes(t.Context(), name, info.ModTime()); (err == nil) != want {
				t.Errorf("SetTimes(%q): %v, want success: %t", name, err, want)
			}
		}
		err := storage.Exchange(t.Context(), s, "/dir/collection/sub/x", "/dir/file")
		if denied := errors.Is(err, fs.ErrPermission); denied == follows || err != nil && !denied && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Exchange through a link: %v, want success: %t", err, follows)
		}
	})
}

// linkInfo describes a symbolic link.
func linkInfo(t *testing.T) fs.FileInfo {
	t.Helper()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestCopyLinkCancelled checks that a cancelled copy of a link creates nothing.
func TestCopyLinkCancelled(t *testing.T) {
	s := newShare(t)
	web(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := storage.CopyMember(ctx, s, "/dir/near", "/new", linkInfo(t), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("CopyMember: %v, want context.Canceled", err)
	}
	if _, err := s.Lstat(t.Context(), "/new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Lstat: %v, want fs.ErrNotExist", err)
	}
}
