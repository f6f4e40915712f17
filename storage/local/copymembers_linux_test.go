package local_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// describe returns the results of Lstat for members of the collection dir.
func (s share) describe(t *testing.T, dir string, members ...string) []fs.FileInfo {
	t.Helper()
	var infos []fs.FileInfo
	for _, member := range members {
		info, err := s.Lstat(t.Context(), dir+"/"+member)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			info = fake{info, member} // so that its target is copied
		}
		infos = append(infos, info)
	}
	return infos
}

// copies copies the files that infos describe from /src to /dst, and returns the result for each.
func (s share) copies(t *testing.T, infos ...fs.FileInfo) map[string]error {
	t.Helper()
	errs := map[string]error{}
	for name, err := range s.CopyMembers(t.Context(), storage.Copying{From: "/src", To: "/dst", Members: infos}) {
		errs[name] = err
	}
	return errs
}

// copyAll copies members and checks that this succeeds.
func (s share) copyAll(t *testing.T, members ...string) {
	t.Helper()
	for name, err := range s.copies(t, s.describe(t, "/src", members...)...) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// newPair returns a share with the collections /src, which contains files, and /dst.
func newPair(t *testing.T, files storagetest.Tree) share {
	t.Helper()
	s := newShare(t)
	storagetest.WriteTree(t, s, storagetest.Tree{"/src": "/", "/dst": "/"})
	storagetest.WriteTree(t, s, files)
	return s
}

// fake describes a member as a file, as a caller of CopyMembers would if the member was replaced
// meanwhile.
type fake struct {
	fs.FileInfo
	name string
}

func (f fake) Name() string      { return f.name }
func (f fake) Mode() fs.FileMode { return 0o666 }
func (f fake) IsDir() bool       { return false }

// TestCopyMembersMode checks that a copy has exactly the permission bits of the source, whatever the
// umask is.
func TestCopyMembersMode(t *testing.T) {
	modes := map[string]fs.FileMode{
		"a": 0o600, "b": 0o666, "c": 0o777, "d": 0o755 | fs.ModeSetuid | fs.ModeSetgid, "e": 0o400, "f": 0o622, "g": 0o666,
	}
	for _, umask := range []int{0, 0o022, 0o077} {
		s := newPair(t, nil)
		for name, mode := range modes {
			storagetest.WriteTree(t, s, storagetest.Tree{"/src/" + name: name})
			if err := os.Chmod(s.path("/src/"+name), mode); err != nil {
				t.Fatal(err)
			}
		}
		func() {
			defer unix.Umask(unix.Umask(umask))
			s.copyAll(t, slices.Sorted(maps.Keys(modes))...)
			if err := storage.CopyMember(t.Context(), s, "/src/a", "/dst/file", s.describe(t, "/src", "a")[0], nil); err != nil {
				t.Error(err)
			}
		}()
		for name, mode := range modes {
			if _, got := s.owned(t, "/dst/"+name); got != mode.Perm() {
				t.Errorf("umask %o: the copy of %v has the mode %v", umask, mode, got)
			}
		}
		if _, got := s.owned(t, "/dst/file"); got != 0o600 {
			t.Errorf("umask %o: the copy under another name has the mode %v", umask, got)
		}
	}
}

// TestCopyTime checks that a copy keeps the modification time to the nanosecond.
func TestCopyTime(t *testing.T) {
	s := newPair(t, storagetest.Tree{"/src/a": "x"})
	past := time.Unix(1e9, 123456789)
	if err := s.SetTimes(t.Context(), "/src/a", past); err != nil {
		t.Fatal(err)
	}
	s.copyAll(t, "a")
	if err := storage.CopyMember(t.Context(), s, "/src/a", "/dst/new", s.describe(t, "/src", "a")[0], nil); err != nil {
		t.Fatal(err)
	}
	for _, info := range s.describe(t, "/dst", "a", "new") {
		if got := info.ModTime(); !got.Equal(past) {
			t.Errorf("the copy %s was modified at %v, want %v", info.Name(), got, past)
		}
	}
	onDisk, err := os.Lstat(s.path("/dst/a"))
	if err != nil {
		t.Fatal(err)
	}
	stat, ok := onDisk.Sys().(*syscall.Stat_t)
	if !ok || time.Since(time.Unix(stat.Atim.Unix())) > time.Hour {
		t.Errorf("the copy was accessed at %v", stat.Atim)
	}
}

func TestCopyMembersSparse(t *testing.T) {
	const size = 8 << 20 // bytes
	for name, at := range map[string][]int64{
		"all":      {},
		"leading":  {size - 100},
		"trailing": {0},
		"several":  {1 << 20, 3 << 20, 5<<20 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newPair(t, storagetest.Tree{"/src/a": ""})
			src, err := os.OpenFile(s.path("/src/a"), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, offset := range at {
				if _, err := src.WriteAt(bytes.Repeat([]byte("x"), 100), offset); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(src.Truncate(size), src.Close()); err != nil {
				t.Fatal(err)
			}
			var sum int64
			for _, err := range s.CopyMembers(t.Context(), storage.Copying{From: "/src", To: "/dst", Members: s.describe(t, "/src", "a"), Wrote: func(n int64) { sum += n }}) {
				if err != nil {
					t.Fatal(err)
				}
			}
			onDisk, err := os.Lstat(s.path("/dst/a"))
			if err != nil {
				t.Fatal(err)
			}
			stat, ok := onDisk.Sys().(*syscall.Stat_t)
			if !ok || stat.Size != size || stat.Blocks*512 > 1<<20 || sum != size {
				t.Errorf("the copy has %d bytes in %d blocks, %d reported", stat.Size, stat.Blocks, sum)
			}
			tree := storagetest.ReadTree(t, s, "/")
			if tree["/src/a"] != tree["/dst/a"] {
				t.Error("the copy differs")
			}
		})
	}
}

// TestCopyMembersAttributes checks that a copy keeps the user's attributes, even of a read-only file,
// but not the system's.
func TestCopyMembersAttributes(t *testing.T) {
	s := newPair(t, storagetest.Tree{"/src/a": "a", "/src/b": "b", "/src/c": ""})
	want := map[string]string{"user.davd.one": "1", "user.davd.empty": "", "user.davd.large": strings.Repeat("x", 1000)}
	for name, value := range want {
		err := errors.Join(unix.Setxattr(s.path("/src/a"), name, []byte(value), 0), unix.Setxattr(s.path("/src/c"), name, []byte(value), 0))
		if errors.Is(err, unix.EOPNOTSUPP) {
			t.Skip("this filesystem has no user attributes: set TMPDIR to a directory on another filesystem")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		if err := unix.Setxattr(s.path("/src/a"), "trusted.davd", []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chmod(s.dir, 0o777), os.Chmod(s.path("/dst"), 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(s.path("/src/c"), 0o444); err != nil {
		t.Fatal(err)
	}
	s.copyAll(t, "a", "b")
	if os.Geteuid() == 0 {
		asNobody(t, func() { s.copyAll(t, "c") })
	} else {
		s.copyAll(t, "c")
	}
	for _, name := range []string{"/dst/a", "/dst/c"} {
		for attr, value := range want {
			buf := make([]byte, 2000)
			n, err := unix.Getxattr(s.path(name), attr, buf)
			if err != nil || string(buf[:n]) != value {
				t.Errorf("%s of %s: %q, %v; want %q", attr, name, buf[:max(n, 0)], err, value)
			}
		}
	}
	if _, err := unix.Getxattr(s.path("/dst/a"), "trusted.davd", nil); !errors.Is(err, unix.ENODATA) {
		t.Errorf("the system's attribute of the copy: %v, want ENODATA", err)
	}
	if _, mode := s.owned(t, "/dst/c"); mode != 0o444 {
		t.Errorf("the copy of a read-only file has the mode %v", mode)
	}
}

// TestCopyMembersSpecial checks that special files are missing, whether they are described as such or
// as files, and that no call waits for them.
func TestCopyMembersSpecial(t *testing.T) {
	s := newPair(t, storagetest.Tree{"/src/file": "x", "/src/sub": "/"})
	makeSpecial(t, s)
	for _, name := range []string{"fifo", "socket"} {
		if err := errors.Join(
			os.Rename(s.path("/dir/"+name), s.path("/src/"+name)), os.Symlink(name, s.path("/src/to-"+name)),
		); err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"fifo", "socket", "to-fifo", "to-socket"}
	infos := s.describe(t, "/src", names...)
	for _, name := range names {
		infos = append(infos, fake{infos[0], name})
	}
	err := returns(t, func() error {
		for name, err := range s.CopyMembers(t.Context(), storage.Copying{From: "/src", To: "/dst", Members: infos}) {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v, want fs.ErrNotExist", name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.copies(t, fake{infos[0], "sub"})["sub"]; !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a collection: %v, want EISDIR", err)
	}
	if names := s.names(t, "/dst"); len(names) != 0 {
		t.Errorf("the copies are %q, want none", names)
	}
}

// TestCopyMembersNames checks that no member name leads out of its collection.
func TestCopyMembersNames(t *testing.T) {
	s := newPair(t, storagetest.Tree{"/file": "x", "/src/file": "x", "/src/sub": "/", "/src/sub/file": "x", "/dst/sub": "/"})
	before := storagetest.ReadTree(t, s, "/")
	info := s.describe(t, "", "file")[0]
	for _, name := range []string{"", ".", "..", "../file", "sub/file", "/file", "a\x00"} {
		if err := s.copies(t, fake{info, name})[name]; !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v, want fs.ErrNotExist", name, err)
		}
	}
	if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, before) {
		t.Errorf("the share contains %q", got)
	}
}

// TestCopyMembersLeased checks that a copy waits until another program gives up its lease.
func TestCopyMembersLeased(t *testing.T) {
	s := newPair(t, storagetest.Tree{"/src/a": "x"})
	infos := s.describe(t, "/src", "a")
	whileLeased(t, s.path("/src/a"), func() error { return s.copies(t, infos...)["a"] })
	if got := storagetest.ReadTree(t, s, "/dst"); got["/dst/a"] != "x" {
		t.Errorf("the copy is %q", got)
	}
}

// TestCopyMembersCancelled checks that nothing is left of a file whose copy was cancelled.
func TestCopyMembersCancelled(t *testing.T) {
	s := newPair(t, storagetest.Tree{"/src/a": strings.Repeat("content ", 20<<20/8)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if unixClones(t, s.path("/src/a"), s.path("/probe")) {
		t.Skip("on this filesystem a copy is one step, which can't be stopped: set TMPDIR to a directory on another filesystem")
	}
	reports := 0
	for _, err := range s.CopyMembers(ctx, storage.Copying{From: "/src", To: "/dst", Members: s.describe(t, "/src", "a"), Wrote: func(int64) {
		reports++
		cancel()
	}}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	if names := s.names(t, "/dst"); reports != 1 || len(names) != 0 {
		t.Errorf("%d reports; the copies are %q", reports, names)
	}
}

// TestCopyMembersWhileItChanges checks that the copy of a file that grows or shrinks meanwhile contains
// what was read.
func TestCopyMembersWhileItChanges(t *testing.T) {
	const size = 10 << 20 // bytes: several steps
	content := strings.Repeat("content ", size/8)
	for name, to := range map[string]int64{"grows": 2 * size, "shrinks": size / 2, "is emptied": 0} {
		s := newPair(t, storagetest.Tree{"/src/a": content})
		truncated := false
		for _, err := range s.CopyMembers(t.Context(), storage.Copying{From: "/src", To: "/dst", Members: s.describe(t, "/src", "a"), Wrote: func(int64) {
			if !truncated {
				truncated = true
				if err := os.Truncate(s.path("/src/a"), to); err != nil {
					t.Error(err)
				}
			}
		}}) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		got := storagetest.ReadTree(t, s, "/dst")["/dst/a"]
		if !strings.HasPrefix(content, got) || to > size && len(got) < size {
			t.Errorf("%s: the copy has %d bytes", name, len(got))
		}
	}
}

// TestCopyMembersFullDisk checks that a file without room fails with syscall.ENOSPC and leaves nothing,
// and that files that fit are still copied.
func TestCopyMembersFullDisk(t *testing.T) {
	needRoot(t)
	s := newPair(t, storagetest.Tree{"/src/a": "a", "/src/b": strings.Repeat("content ", 2<<20/8), "/src/c": "c"})
	if err := syscall.Mount("tmpfs", s.path("/dst"), "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Unmount(s.path("/dst"), syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	errs := s.copies(t, s.describe(t, "/src", "a", "b", "c")...)
	if errs["a"] != nil || !storage.NoSpace(errs["b"]) || errs["c"] != nil {
		t.Errorf("errors %v, want no space for b", errs)
	}
	if got := storagetest.ReadTree(t, s, "/dst"); len(got) != 2 || got["/dst/a"] != "a" || got["/dst/c"] != "c" {
		t.Errorf("%d copies, want 2", len(got))
	}
}

// TestCloneIsAskedOnce checks that a filesystem that can't share blocks is remembered.
func TestCloneIsAskedOnce(t *testing.T) {
	s := newPair(t, storagetest.Tree{"/src/a": "a", "/src/b": "b"})
	if s.NeverClones(t, s.dir) {
		t.Fatal("the answer is known before the first copy")
	}
	s.copyAll(t, "a")
	clones := unixClones(t, s.path("/src/b"), s.path("/probe"))
	if got := s.NeverClones(t, s.dir); got == clones {
		t.Errorf("the filesystem clones: %t; it is remembered as one that never does: %t", clones, got)
	}
	s.copyAll(t, "b")
}

func unixClones(t *testing.T, src, dst string) bool {
	t.Helper()
	in, err := os.Open(src)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(dst)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	return unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) == nil
}
