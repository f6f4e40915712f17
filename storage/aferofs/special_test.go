//go:build linux || darwin

package aferofs_test

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// TestFIFO: FIFOs are never opened, because that would wait for a process at the other
// end.
func TestFIFO(t *testing.T) {
	d := newOnDisk(t)
	storagetest.WriteTree(t, d, storagetest.Tree{"/dir": "/"})
	if err := syscall.Mkfifo(d.path("/dir/fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[int]error{
		os.O_RDONLY:              fs.ErrNotExist,
		os.O_WRONLY:              fs.ErrPermission,
		os.O_RDWR | os.O_CREATE:  fs.ErrPermission,
		os.O_WRONLY | os.O_TRUNC: fs.ErrPermission,
	} {
		opened := make(chan error, 1)
		go func() {
			_, err := d.OpenFile(t.Context(), "/dir/fifo", flag, 0o666)
			opened <- err
		}()
		select {
		case err := <-opened:
			if !errors.Is(err, want) {
				t.Errorf("OpenFile with %#x: %v, want %v", flag, err, want)
			}
		case <-time.After(2 * time.Minute):
			t.Fatal("OpenFile waits")
		}
	}
	if _, err := d.Stat(t.Context(), "/dir/fifo"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat: %v, want fs.ErrNotExist", err)
	}
	if err := storage.Remove(t.Context(), d, "/dir"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Remove of its collection: %v, want fs.ErrExist", err)
	}
	if err := storage.Remove(t.Context(), d, "/dir/fifo"); err != nil {
		t.Error(err)
	}
}
