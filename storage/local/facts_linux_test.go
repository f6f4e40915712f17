package local_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

// TestBirthTime compares the birth time with the system's answer for the path on disk.
func TestBirthTime(t *testing.T) {
	for _, links := range []local.Links{local.LinksInside, local.LinksFollow} {
		t.Run(links.String(), func(t *testing.T) { testBirthTime(t, links) })
	}
}

func testBirthTime(t *testing.T, links local.Links) {
	s := newShareWith(t, local.Options{Links: links})
	storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/", "/dir/file": "x"})
	for link, target := range map[string]string{"/link": "dir/file", "/dir/up": "../dir", "/dangling": "no"} {
		if err := os.Symlink(target, s.path(link)); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Unix(1e9, 0)
	if err := s.SetTimes(t.Context(), "/dir/file", past); err != nil {
		t.Fatal(err)
	}
	for name, like := range map[string]string{
		"/": "/", "/dir": "/dir", "/dir/file": "/dir/file", "/link": "/dir/file", "/dir/up": "/dir", "/dir/up/file": "/dir/file",
	} {
		var stat unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, s.path(like), 0, unix.STATX_BTIME, &stat); err != nil {
			t.Fatal(err)
		}
		want := time.Time{}
		if stat.Mask&unix.STATX_BTIME != 0 {
			want = time.Unix(stat.Btime.Sec, int64(stat.Btime.Nsec))
		}
		info, err := s.Stat(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if born := storage.Born(info); !born.Equal(want) {
			t.Errorf("%s was created at %v; want %v", name, born, want)
		}
	}
}

// TestFactsOutside checks that Space reveals nothing about files outside or special files.
func TestFactsOutside(t *testing.T) {
	s := newShare(t)
	names := makeSpecial(t, s)
	for link, target := range map[string]string{"/out": t.TempDir(), "/up": ".."} {
		if err := os.Symlink(target, s.path(link)); err != nil {
			t.Fatal(err)
		}
		names = append(names, link)
	}
	for _, name := range names {
		if _, _, err := s.Space(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Space(%q): %v, want fs.ErrNotExist", name, err)
		}
	}
}

// TestNoBirthTime uses /proc, a filesystem without birth times.
func TestNoBirthTime(t *testing.T) {
	fsys := openAt(t, "/proc/self")
	info, err := fsys.Stat(t.Context(), "/status")
	if err != nil {
		t.Fatal(err)
	}
	if born := storage.Born(info); !born.IsZero() {
		t.Errorf("a file of /proc was created at %v", born)
	}
}

// TestSpace compares Space with the system's answer. They are only about the same, because other
// processes write too.
func TestSpace(t *testing.T) {
	s := newShare(t)
	var stat unix.Statfs_t
	if err := unix.Statfs(s.dir, &stat); err != nil {
		t.Fatal(err)
	}
	used, available, err := s.Space(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	total := float64(stat.Blocks) * float64(stat.Frsize)
	near := func(got int64, want float64) bool { return math.Abs(float64(got)-want) <= total/10 }
	if !near(used, total-float64(stat.Bfree)*float64(stat.Frsize)) || !near(available, float64(stat.Bavail)*float64(stat.Frsize)) {
		t.Errorf("Space: %d used, %d available; the system returns %+v", used, available, stat)
	}
}

func openAt(t *testing.T, dir string) *local.FS {
	t.Helper()
	fsys, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fsys.Close(); err != nil {
			t.Error(err)
		}
	})
	return fsys
}
