//go:build linux || darwin

package local_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// makeSpecial creates a FIFO and a socket in the collection /dir, and a link to each in the root. It
// changes the working directory, because the path of a socket must be short.
func makeSpecial(t *testing.T, s share) []string {
	t.Helper()
	storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/"})
	if err := syscall.Mkfifo(s.path("/dir/fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(s.path("/dir"))
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // Its file no longer exists by then.
	names := []string{"/dir/fifo", "/dir/socket"}
	for _, name := range []string{"fifo", "socket"} {
		if err := os.Symlink("dir/"+name, s.path("/"+name)); err != nil {
			t.Fatal(err)
		}
		names = append(names, "/"+name)
	}
	return names
}

// patience is the time limit for a call that must not wait at all.
const patience = 2 * time.Minute

// returns fails the test if call waits for the other end of a FIFO, which is never opened.
func returns(t *testing.T, call func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("the call waits for a special file")
		return nil
	}
}

func TestSpecialFilesAreNotThere(t *testing.T) {
	s := newShare(t)
	for _, name := range makeSpecial(t, s) {
		if _, err := s.Stat(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat(%q): %v, want fs.ErrNotExist", name, err)
		}
		for _, test := range []struct {
			flag int
			want error
		}{
			{os.O_RDONLY, fs.ErrNotExist},
			{os.O_WRONLY, fs.ErrPermission},
			{os.O_RDWR, fs.ErrPermission},
			{os.O_RDWR | os.O_CREATE, fs.ErrPermission},
			{os.O_WRONLY | os.O_CREATE | os.O_TRUNC, fs.ErrPermission},
			{os.O_RDWR | os.O_CREATE | os.O_EXCL, fs.ErrExist},
		} {
			err := returns(t, func() error {
				_, err := s.OpenFile(t.Context(), name, test.flag, 0o666)
				return err
			})
			if !errors.Is(err, test.want) {
				t.Errorf("OpenFile(%q, %#x): %v, want %v", name, test.flag, err, test.want)
			}
		}
	}
}

func TestSpecialFilesCanBeRemoved(t *testing.T) {
	s := newShare(t)
	names := makeSpecial(t, s)
	listed := 0
	for info, err := range storage.ReadDir(t.Context(), s, "/dir") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0 {
			listed++
		}
	}
	if listed != 2 {
		t.Errorf("%d special files are listed, want 2", listed)
	}
	for _, name := range names {
		if _, err := s.Lstat(t.Context(), name); err != nil {
			t.Error(err)
		}
		if err := storage.Remove(t.Context(), s, name); err != nil {
			t.Error(err)
		}
	}
	if err := storage.Remove(t.Context(), s, "/dir"); err != nil {
		t.Error(err)
	}
}

func TestRemoveAllOfSpecialFiles(t *testing.T) {
	s := newShare(t)
	makeSpecial(t, s)
	if err := returns(t, func() error { return s.RemoveAll(t.Context(), "/dir") }); err != nil {
		t.Error(err)
	}
	if _, err := s.Lstat(t.Context(), "/dir"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Lstat: %v, want fs.ErrNotExist", err)
	}
}
