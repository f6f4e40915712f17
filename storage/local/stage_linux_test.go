package local_test

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

// setWays are changes to a share that make it use one way to name a file.
var setWays = map[string]func(s share){
	"by descriptor": func(s share) { s.SetWays(local.ByDescriptor) },
	"by proc":       func(s share) { s.SetWays(local.ByProc) },
	"named":         func(s share) { s.SetWays() },
	"no way works":  func(s share) { s.SetWays(local.ByMagic) },
	"the next way":  func(s share) { s.SetWays(local.ByMagic, local.ByProc) },
}

// eachWay runs test on a share for each way to name a file.
func eachWay(t *testing.T, test func(t *testing.T, s share)) {
	t.Helper()
	for name, set := range setWays {
		t.Run(name, func(t *testing.T) {
			s := newShare(t)
			set(s)
			test(t, s)
		})
	}
}

// TestConformanceOfWays runs the suite with other ways than the first that works, which TestConformance
// uses.
func TestConformanceOfWays(t *testing.T) {
	for _, name := range []string{"by proc", "named"} {
		set := setWays[name]
		t.Run(name, func(t *testing.T) {
			storagetest.Suite{
				New: func(t *testing.T) storage.FS {
					t.Helper()
					s := newShare(t)
					set(s)
					return s
				},
				Symlink: func(t *testing.T, fsys storage.FS, target, name string) {
					t.Helper()
					s, ok := fsys.(share)
					if !ok {
						t.Fatalf("a %T is not a share", fsys)
					}
					if err := os.Symlink(target, s.path(name)); err != nil {
						t.Fatal(err)
					}
				},
				FollowsLinks: true,
			}.Run(t)
		})
	}
}

// makesUnnamed reports whether the filesystem of s can create files without a name.
func makesUnnamed(t *testing.T, s share) bool {
	t.Helper()
	fd, err := unix.Open(s.dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Logf("this filesystem can't create files without a name: %v", err)
		return false
	}
	if err := unix.Close(fd); err != nil {
		t.Error(err)
	}
	return true
}

// TestReplaceFileHasNoName checks that a stage has no name if possible, so that kill -9 leaves nothing.
func TestReplaceFileHasNoName(t *testing.T) {
	for name, set := range setWays {
		t.Run(name, func(t *testing.T) {
			s := newShare(t)
			set(s)
			want := 0
			if name == "named" || name == "no way works" || !makesUnnamed(t, s) {
				want = 1
			}
			r := s.begin(t, "/file", "content")
			if names := s.names(t, "/"); len(names) != want {
				t.Errorf("before Commit the directory contains %q; want %d names", names, want)
			}
			if _, err := r.Commit(t.Context(), storage.Placing{}); err != nil {
				t.Error(err)
			}
			if names := s.names(t, "/"); !slices.Equal(names, []string{"file"}) {
				t.Errorf("after Commit the directory contains %q", names)
			}
		})
	}
}

// TestReplaceFileHidesPrivateContent checks that others can't read the stage of a private file.
func TestReplaceFileHidesPrivateContent(t *testing.T) {
	s := newShare(t)
	s.SetWays()
	if err := os.WriteFile(s.path("/file"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := s.begin(t, "/file", "secret")
	for _, name := range s.names(t, "/") {
		if _, mode := s.owned(t, "/"+name); mode != 0o600 {
			t.Errorf("%s has the permissions %v", name, mode)
		}
	}
	if err := r.Discard(); err != nil {
		t.Error(err)
	}
}

// TestReplaceFileLeavesAccessTime checks that a client can set only the modification time.
func TestReplaceFileLeavesAccessTime(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		_, err := s.begin(t, "/file", "x").Commit(t.Context(), storage.Placing{Modified: time.Unix(1e9, 0), Create: true})
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(s.path("/file"))
		if err != nil {
			t.Fatal(err)
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || info.ModTime().Unix() != 1e9 || time.Since(time.Unix(stat.Atim.Unix())) > time.Hour {
			t.Errorf("modified at %v, accessed at %v", info.ModTime(), stat.Atim)
		}
	})
}

// TestReplaceFileOpensNothingForGood checks that Commit and Discard leave no descriptor open, not even
// after an error.
func TestReplaceFileOpensNothingForGood(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		open := func() int {
			entries, err := os.ReadDir("/proc/self/fd")
			if err != nil {
				t.Fatal(err)
			}
			return len(entries)
		}
		storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/"})
		before := open()
		for range 20 {
			if err := s.replace(t, "/file", "x"); err != nil {
				t.Fatal(err)
			}
			if err := s.begin(t, "/file", "x").Discard(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.begin(t, "/file", "x").Commit(t.Context(), storage.Placing{Create: true}); err == nil {
				t.Fatal("no error")
			}
			if err := s.replace(t, "/dir", "x"); err == nil {
				t.Fatal("no error")
			}
		}
		if after := open(); after > before+10 { // Other code may open some.
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
}

// TestReplaceFileOfSpecialFile checks that special files are refused as by OpenFile, both at the start
// and at the commit, and that no call waits for them.
func TestReplaceFileOfSpecialFile(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		for _, name := range makeSpecial(t, s) {
			err := returns(t, func() error { return s.replace(t, name, "x") })
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("ReplaceFile(%q): %v, want fs.ErrPermission", name, err)
			}
		}
		r := s.begin(t, "/late", "x")
		if err := syscall.Mkfifo(s.path("/late"), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Commit(t.Context(), storage.Placing{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Commit: %v, want fs.ErrPermission", err)
		}
		if info, err := s.Lstat(t.Context(), "/late"); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
			t.Errorf("Lstat: %v, %v; want the FIFO", info, err)
		}
	})
}

// ids are the owner and the group of a file.
type ids struct{ owner, group uint32 }

func (s share) owned(t *testing.T, name string) (ids, fs.FileMode) {
	t.Helper()
	info, err := os.Stat(s.path(name))
	if err != nil {
		t.Fatal(err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatalf("Sys is a %T", info.Sys())
	}
	return ids{stat.Uid, stat.Gid}, info.Mode()
}

// needRoot skips a test that must give files to other users.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to other users: run the tests as root too")
	}
}

// own creates the file name with the owner, the group and the mode.
func (s share) own(t *testing.T, name string, whose ids, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(s.path(name), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(os.Chown(s.path(name), int(whose.owner), int(whose.group)), os.Chmod(s.path(name), mode))
	if err != nil {
		t.Fatal(err)
	}
}

func TestReplaceFileKeepsOwner(t *testing.T) {
	needRoot(t)
	eachWay(t, func(t *testing.T, s share) {
		want := ids{1234, 4321}
		for _, mode := range []fs.FileMode{0o640, 0o777, 0o604, 0o755 | fs.ModeSetuid} {
			s.own(t, "/file", want, mode)
			if err := s.replace(t, "/file", "new"); err != nil {
				t.Fatal(err)
			}
			if got, gotMode := s.owned(t, "/file"); got != want || gotMode != mode.Perm() {
				t.Errorf("%v: the new file belongs to %v and has the mode %v; want %v and %v", mode, got, gotMode, want, mode.Perm())
			}
		}
	})
}

const nobody = 65534

// asNobody runs test on a thread that accesses the disk as the user nobody. The thread ends afterwards.
func asNobody(t *testing.T, test func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // It is never unlocked, so the thread ends with the goroutine.
		// Set the group first, while the process still may.
		err := errors.Join(unix.Setfsgid(nobody), unix.Setfsuid(nobody))
		if err == nil {
			test()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestReplaceFileOfAnother checks that a process that can't keep the owner and the group gives the new
// group no more rights than others have.
func TestReplaceFileOfAnother(t *testing.T) {
	needRoot(t)
	eachWay(t, func(t *testing.T, s share) {
		if err := os.Chmod(s.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for mode, want := range map[fs.FileMode]fs.FileMode{0o676: 0o666, 0o626: 0o626, 0o606: 0o606, 0o662: 0o622} {
			s.own(t, "/file", ids{1234, 4321}, mode)
			asNobody(t, func() {
				if err := s.replace(t, "/file", "new"); err != nil {
					t.Error(err)
				}
			})
			if got, gotMode := s.owned(t, "/file"); got != (ids{nobody, nobody}) || gotMode != want {
				t.Errorf("%v: the new file belongs to %v and has the mode %v; want nobody and %v", mode, got, gotMode, want)
			}
		}
	})
}

// TestReplaceFileNotWritable checks that write access to the collection isn't enough to replace a file.
func TestReplaceFileNotWritable(t *testing.T) {
	needRoot(t)
	eachWay(t, func(t *testing.T, s share) {
		if err := os.Chmod(s.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		s.own(t, "/file", ids{nobody, nobody}, 0o444)
		s.own(t, "/root", ids{0, 0}, 0o644)
		asNobody(t, func() {
			for _, name := range []string{"/file", "/root"} {
				_, err := s.OpenFile(t.Context(), name, os.O_RDWR, 0)
				if !errors.Is(err, fs.ErrPermission) {
					t.Errorf("OpenFile(%q): %v, want fs.ErrPermission", name, err)
				}
				if err := s.replace(t, name, "new"); !errors.Is(err, fs.ErrPermission) {
					t.Errorf("ReplaceFile(%q): %v, want fs.ErrPermission", name, err)
				}
			}
		})
		if got := storagetest.ReadTree(t, s, "/"); got["/file"] != "old" || got["/root"] != "old" || len(got) != 2 {
			t.Errorf("the share contains %q", got)
		}
	})
}
