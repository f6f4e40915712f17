package local_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/strays"
)

// These are environment variables. If they are set, the test program replaces /dir/file in the share
// victimShare, in the way victimWay, and dies before the call victimCall.
const (
	victimShare = "DAVD_TEST_VICTIM_SHARE"
	victimWay   = "DAVD_TEST_VICTIM_WAY"
	victimCall  = "DAVD_TEST_VICTIM_CALL"
)

// fatalCalls are the system calls before which the victim can die.
var fatalCalls = map[string]uint32{
	"pwrite64":  unix.SYS_PWRITE64,
	"linkat":    unix.SYS_LINKAT,
	"renameat":  unix.SYS_RENAMEAT,
	"unlinkat":  unix.SYS_UNLINKAT,
	"utimensat": unix.SYS_UTIMENSAT,
	"write":     unix.SYS_WRITE,
	"fchmod":    unix.SYS_FCHMOD,
}

// dieBefore makes the kernel kill this process before its next such call.
func dieBefore(call uint32) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

// beVictim replaces the file and dies meanwhile. If it never makes the fatal call, it returns nil.
func beVictim() error {
	ctx := context.Background()
	fsys, notes, err := openNoting(os.Getenv(victimShare))
	if err != nil {
		return err
	}
	defer notes.Close()
	setWays[os.Getenv(victimWay)](share{FS: fsys})
	call := os.Getenv(victimCall)
	if call == "begin" {
		if _, err := fsys.ReplaceFile(ctx, "/dir/file", storage.Replacing{Perm: 0o666}); err != nil {
			return err
		}
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	if err := dieBefore(fatalCalls[call]); err != nil {
		return err
	}
	r, err := fsys.ReplaceFile(ctx, "/dir/file", storage.Replacing{Perm: 0o666})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(r, "new"); err != nil {
		return err
	}
	_, err = r.Commit(ctx, storage.Placing{})
	return err
}

// openNoting opens the share in dir and sweeps it with the file of strays beside it.
func openNoting(dir string) (*local.FS, *strays.File, error) {
	fsys, err := local.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	notes, err := strays.Open(dir + "-strays")
	if err != nil {
		return nil, nil, err
	}
	swept, err := strays.Sweep(context.Background(), fsys, notes)
	for _, s := range swept {
		err = errors.Join(err, s.Err)
	}
	return fsys, notes, err
}

// TestReplaceFileKilledAnywhere kills a replacement before each of the calls. The file must be the old
// one, the new one or missing if it was before, and the next start must remove everything else.
func TestReplaceFileKilledAnywhere(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	calls := []string{"begin"}
	for call := range fatalCalls {
		calls = append(calls, call)
	}
	strayed := map[string]bool{}
	for way := range setWays {
		for _, call := range calls {
			for _, old := range []string{"", "old"} {
				t.Run(fmt.Sprintf("%s, %s, %q", way, call, old), func(t *testing.T) {
					s := newShare(t)
					dir := filepath.Join(s.dir, "share")
					if err := os.MkdirAll(filepath.Join(dir, "dir"), 0o777); err != nil {
						t.Fatal(err)
					}
					if old != "" {
						if err := os.WriteFile(filepath.Join(dir, "dir/file"), []byte(old), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					victim := exec.CommandContext(t.Context(), self)
					victim.Env = append(os.Environ(), victimShare+"="+dir, victimWay+"="+way, victimCall+"="+call)
					out, err := victim.CombinedOutput()
					if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != -1) {
						t.Fatalf("%v: %s", err, out)
					}
					names := s.names(t, "/share/dir")
					content, err := os.ReadFile(filepath.Join(dir, "dir/file"))
					if got := string(content); got != "new" && (got != old || old == "" && !errors.Is(err, fs.ErrNotExist)) {
						t.Errorf("the file reads %q, %v", got, err)
					}
					if stray := slices.IndexFunc(names, func(name string) bool { return storage.Reserved("/" + name) }); stray >= 0 {
						strayed[call] = true
						names = slices.Delete(names, stray, stray+1)
					}
					for range 2 {
						fsys, notes, err := openNoting(dir)
						if err != nil {
							t.Fatal(err)
						}
						if err := errors.Join(fsys.Close(), notes.Close()); err != nil {
							t.Error(err)
						}
						if got := s.names(t, "/share/dir"); !slices.Equal(got, names) {
							t.Errorf("the directory contains %q, want %q", got, names)
						}
					}
				})
			}
		}
	}
	for _, call := range []string{"begin", "renameat", "write", "utimensat"} {
		if !strayed[call] {
			t.Errorf("a kill at %s left nothing behind, so this test proves nothing", call)
		}
	}
}

// TestSweepOnlyItsOwn checks that Sweep removes only noted files that have reserved names and are in the
// share.
func TestSweepOnlyItsOwn(t *testing.T) {
	s := newShare(t)
	outside := t.TempDir()
	storagetest.WriteTree(t, s, storagetest.Tree{
		"/dir": "/", "/dir/.davd-a": "x", "/dir/.davd-b": "x", "/dir/.davd-c": "/", "/dir/file": "x", "/dir/.davd-d": "x",
	})
	for _, err := range []error{
		os.WriteFile(outside+"/.davd-e", nil, 0o600),
		os.Symlink(outside, s.path("/out")),
		os.Symlink("dir", s.path("/in")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	path := t.TempDir() + "/strays"
	notes, err := strays.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"./dir/.davd-b", "dir/.davd-c", "dir/file", "in/.davd-d", "out/.davd-e", "../" + filepath.Base(outside) + "/.davd-e",
		outside + "/.davd-e", "dir/.davd-none", "none/.davd-a", "dir/.davd-a/.davd-a",
	} {
		notes.Add("", name)
	}
	if err := notes.Close(); err != nil {
		t.Fatal(err)
	}
	notes, err = strays.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer notes.Close()
	swept, err := s.Sweep(t.Context(), notes)
	want := []strays.Swept{{Name: "/dir/.davd-b"}, {Name: "/in/.davd-d"}}
	if err != nil || !slices.Equal(swept, want) {
		t.Errorf("swept %v, error %v; want %v", swept, err, want)
	}
	if got, want := s.names(t, "/dir"), []string{".davd-a", ".davd-c", "file"}; !slices.Equal(got, want) {
		t.Errorf("the directory contains %q, want %q", got, want)
	}
	if _, err := os.Stat(outside + "/.davd-e"); err != nil {
		t.Error(err)
	}
}

// TestSweepOtherRoot checks that Sweep keeps its notes while the disk of the share isn't mounted.
func TestSweepOtherRoot(t *testing.T) {
	s := newShare(t)
	dir := filepath.Join(s.dir, "share")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	fsys, notes, err := openNoting(dir)
	if err != nil {
		t.Fatal(err)
	}
	fsys.SetWays()
	s.FS = fsys
	s.begin(t, "/file", "x") // Neither Commit nor Discard follows.
	if err := errors.Join(fsys.Close(), notes.Close()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(dir, dir+"-mounted"), os.Mkdir(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openNoting(dir); err == nil || !strings.Contains(err.Error(), "not the same directory") {
		t.Errorf("error %v", err)
	}
	if err := errors.Join(os.Remove(dir), os.Rename(dir+"-mounted", dir)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openNoting(dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}

// TestSweepAfterRename checks that Sweep finds a stage whose collection was renamed or exchanged before
// the kill.
func TestSweepAfterRename(t *testing.T) {
	s := newShare(t)
	dir := filepath.Join(s.dir, "share")
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o777); err != nil {
		t.Fatal(err)
	}
	fsys, notes, err := openNoting(dir)
	if err != nil {
		t.Fatal(err)
	}
	fsys.SetWays()
	s.FS = fsys
	storagetest.WriteTree(t, s, storagetest.Tree{"/other": "/"})
	s.begin(t, "/a/b/file", "x") // Neither Commit nor Discard follows.
	for _, err := range []error{
		fsys.Rename(t.Context(), "/a", "/c"),
		storage.Exchange(t.Context(), fsys, "/other", "/c"),
		fsys.Close(), notes.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, "other/b")); err != nil || len(left) != 1 {
		t.Fatalf("no stage was left behind, so this test proves nothing: %v, error %v", left, err)
	}
	if _, _, err := openNoting(dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "other/b")); err != nil || len(left) > 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}

// beOther reports whether this process had another role than testing.
func beOther() bool {
	if os.Getenv(victimShare) == "" {
		return false
	}
	if err := beVictim(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}
