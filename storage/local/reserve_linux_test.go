package local_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// mountSmall mounts a filesystem of 1 MiB at name.
func (s share) mountSmall(t *testing.T, name string) {
	t.Helper()
	if err := os.Mkdir(s.path(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", s.path(name), "tmpfs", 0, "size=1m"); err != nil {
		t.Fatalf("a tmpfs can't be mounted, which needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(s.path(name), unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// left returns the free space of the small filesystem at name, in bytes.
func (s share) left(t *testing.T, name string) int64 {
	t.Helper()
	_, left, err := s.Space(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// TestReplaceFileNoRoom checks that ReplaceFile refuses content that can't fit before anything is
// written.
func TestReplaceFileNoRoom(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		s.mountSmall(t, "/small")
		before := s.left(t, "/small")
		_, err := s.ReplaceFile(t.Context(), "/small/file", storage.Replacing{Perm: 0o666, Size: 2 << 20})
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("ReplaceFile: %v, want ENOSPC", err)
		}
		// No file of a tmpfs can be that long.
		_, err = s.ReplaceFile(t.Context(), "/small/file", storage.Replacing{Perm: 0o666, Size: math.MaxInt64})
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EFBIG) {
			t.Errorf("ReplaceFile of the longest: %v, want ENOSPC or EFBIG", err)
		}
		if after := s.left(t, "/small"); after != before {
			t.Errorf("%d bytes of %d are left", after, before)
		}
		if names := s.names(t, "/small"); len(names) != 0 {
			t.Errorf("the directory contains %q", names)
		}
	})
}

// TestReplaceFileRoomGrows checks that an announced length alone takes no room. Room is reserved for
// twice what has been written, or for 256 KiB, and Discard releases it.
func TestReplaceFileRoomGrows(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		s.mountSmall(t, "/small")
		before := s.left(t, "/small")
		const page = 4 << 10
		for _, c := range []struct{ written, most int64 }{
			{0, 2 * page}, {1, 256<<10 + 3*page}, {300 << 10, 600<<10 + 3*page},
		} {
			r, err := s.ReplaceFile(t.Context(), "/small/file", storage.Replacing{Perm: 0o666, Size: 900 << 10})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Write(make([]byte, c.written)); err != nil {
				t.Error(err)
			}
			if took := before - s.left(t, "/small"); took > c.most || took < c.written {
				t.Errorf("%d written bytes take room for %d, want at most %d", c.written, took, c.most)
			}
			if err := r.Discard(); err != nil {
				t.Error(err)
			}
			if after := s.left(t, "/small"); after != before {
				t.Errorf("after Discard %d bytes of %d are left", after, before)
			}
		}
	})
}

// TestReplaceFileRoomEnds checks that a write fails if no room can be reserved for it, and that Discard
// then releases the room of what was written before.
func TestReplaceFileRoomEnds(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		s.mountSmall(t, "/small")
		before := s.left(t, "/small")
		var begun []storage.Replacement
		for _, name := range []string{"/small/a", "/small/b"} { // Either fits alone, but not both.
			r, err := s.ReplaceFile(t.Context(), name, storage.Replacing{Perm: 0o666, Size: 700 << 10})
			if err != nil {
				t.Fatal(err)
			}
			begun = append(begun, r)
		}
		if _, err := begun[0].Write(make([]byte, 700<<10)); err != nil {
			t.Error(err)
		}
		if _, err := begun[1].Write(make([]byte, 700<<10)); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("the second Write: %v, want ENOSPC", err)
		}
		if err := errors.Join(begun[0].Discard(), begun[1].Discard()); err != nil {
			t.Error(err)
		}
		if after := s.left(t, "/small"); after != before {
			t.Errorf("after Discard %d bytes of %d are left", after, before)
		}
	})
}

// TestPatchFileKeepsAttributes checks that a patch keeps the user's attributes, because they describe
// the same file.
func TestPatchFileKeepsAttributes(t *testing.T) {
	s := newShare(t)
	if err := os.WriteFile(s.path("/file"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setxattr(s.path("/file"), "user.colour", []byte("red"), 0); err != nil {
		t.Fatalf("this filesystem has no extended attributes (%v): set TMPDIR to a directory on another filesystem", err)
	}
	r, err := s.ReplaceFile(t.Context(), "/file", storage.Replacing{Perm: 0o666, Patch: func(fs.FileInfo) (int64, error) { return 3, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write([]byte("er")); err != nil {
		t.Error(err)
	}
	if _, err := r.Commit(t.Context(), storage.Placing{}); err != nil {
		t.Error(err)
	}
	buf := make([]byte, 16)
	n, err := unix.Getxattr(s.path("/file"), "user.colour", buf)
	content, readErr := os.ReadFile(s.path("/file"))
	if err != nil || string(buf[:n]) != "red" || string(content) != "older" {
		t.Errorf("the attribute is %q, %v; the file reads %q, %v", buf[:max(n, 0)], err, content, readErr)
	}
}

// TestPatchFileKeepsHoles checks that a patched file takes no more room than the old one.
func TestPatchFileKeepsHoles(t *testing.T) {
	s := newShare(t)
	const size = 64 << 20
	if err := errors.Join(os.WriteFile(s.path("/file"), nil, 0o600), os.Truncate(s.path("/file"), size)); err != nil {
		t.Fatal(err)
	}
	r, err := s.ReplaceFile(t.Context(), "/file", storage.Replacing{Perm: 0o666, Patch: func(fs.FileInfo) (int64, error) { return size / 2, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := r.Commit(t.Context(), storage.Placing{}); err != nil {
		t.Error(err)
	}
	var stat unix.Stat_t
	if err := unix.Stat(s.path("/file"), &stat); err != nil || stat.Size != size || stat.Blocks*512 > 1<<20 {
		t.Errorf("%d bytes in %d blocks, %v", stat.Size, stat.Blocks, err)
	}
}

// TestReplaceFileSyncFails checks that Commit reports that it can't flush the name if the directory
// isn't readable. Flushing the content works.
func TestReplaceFileSyncFails(t *testing.T) {
	needRoot(t)
	s := newShare(t)
	if err := errors.Join(os.Mkdir(s.path("/dir"), 0o777), os.Chmod(s.path("/dir"), 0o733), os.Chmod(s.dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	for sync, want := range map[storage.Sync]error{storage.SyncNever: nil, storage.SyncClose: nil, storage.SyncAlways: fs.ErrPermission} {
		asNobody(t, func() {
			name := "/dir/" + string(sync)
			r := s.begin(t, name, "x")
			if _, err := r.Commit(t.Context(), storage.Placing{Sync: sync}); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", sync, err, want)
			}
			if got, err := os.ReadFile(s.path(name)); err == nil && string(got) != "x" {
				t.Errorf("%s reads %q", name, got)
			}
		})
	}
}

// TestSyncOption checks that the option Sync counts for commits that don't say what they flush.
func TestSyncOption(t *testing.T) {
	needRoot(t)
	s := newShareWith(t, local.Options{Sync: storage.SyncAlways})
	if err := errors.Join(os.Mkdir(s.path("/dir"), 0o777), os.Chmod(s.path("/dir"), 0o733), os.Chmod(s.dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	for sync, want := range map[storage.Sync]error{"": fs.ErrPermission, storage.SyncNever: nil} {
		asNobody(t, func() {
			r := s.begin(t, "/dir/file"+string(sync), "x")
			if _, err := r.Commit(t.Context(), storage.Placing{Sync: sync}); !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", sync, err, want)
			}
		})
	}
}

// TestReplaceFileLongNames checks that the short way leads to the same collection as the long one.
func TestReplaceFileLongNames(t *testing.T) {
	s := newShare(t)
	dir := strings.Repeat("/"+strings.Repeat("d", 200), 15) // 3,015 bytes
	if err := os.MkdirAll(s.path(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir[1:202], s.path("/link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/file", dir + "/file", "/link/file", "/link" + dir[201:] + "/other"} {
		for range 2 {
			if err := s.replace(t, name, "content of "+name); err != nil {
				t.Errorf("%.20s…: %v", name, err)
			}
		}
		if got, err := os.ReadFile(s.path(name)); err != nil || string(got) != "content of "+name {
			t.Errorf("%.20s… reads %q, %v", name, got, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.replace(t, "/file", "x"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v, want fs.ErrClosed", err)
	}
}

// TestReplaceFileBelowLink checks that the short way, which is the same for all policies, follows no
// link.
func TestReplaceFileBelowLink(t *testing.T) {
	for links, want := range map[local.Links]error{local.LinksInside: nil, local.LinksDeny: fs.ErrPermission, local.LinksFollow: nil} {
		t.Run(links.String(), func(t *testing.T) {
			s := newShareWith(t, local.Options{Links: links})
			if err := errors.Join(os.Mkdir(s.path("/dir"), 0o755), os.Symlink("dir", s.path("/link"))); err != nil {
				t.Fatal(err)
			}
			if err := s.replace(t, "/link/file", "x"); !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
			if names := s.names(t, "/dir"); len(names) != map[bool]int{true: 1, false: 0}[want == nil] {
				t.Errorf("the directory contains %q", names)
			}
		})
	}
}
