package local_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/davd/davd/storage/local"
)

// TestDevices serves /dev, because every machine has these devices.
func TestDevices(t *testing.T) {
	fsys, err := local.Open("/dev")
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	for _, name := range []string{"/null", "/zero", "/tty"} {
		if _, err := fsys.Lstat(t.Context(), name); err != nil {
			t.Error(err)
		}
		if _, err := fsys.Stat(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat(%q): %v, want fs.ErrNotExist", name, err)
		}
		_, err := fsys.OpenFile(t.Context(), name, os.O_RDONLY, 0)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("OpenFile(%q): %v, want fs.ErrNotExist", name, err)
		}
		_, err = fsys.OpenFile(t.Context(), name, os.O_WRONLY, 0)
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("OpenFile(%q) for writing: %v, want fs.ErrPermission", name, err)
		}
	}
}
