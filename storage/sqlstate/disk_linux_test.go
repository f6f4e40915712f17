package sqlstate

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/davd/davd/storage"
)

// smallDisk returns a directory on a filesystem of size bytes. Only root can create it.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("only root mounts a filesystem; TestFull has a full database without one")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestFullDisk: on a full disk nothing is lost. When there is space again, everything
// works again.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "2m")
	ballast := filepath.Join(dir, "ballast")
	write(t, ballast, make([]byte, 512<<10))
	db := openAt(t, filepath.Join(dir, "state.db"))
	fill(t, db)
	fillUp(t, db)
	db = reopen(t, db)
	wantProperty(t, db, "/a", "value")
	wantLocks(t, db, aLock)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := db.Remove(t.Context(), "/large"); err != nil {
		t.Error(err)
	}
	patch(t, db, "/b", aProperty)
	wantProperty(t, reopen(t, db), "/b", "value")
}

// TestOpenOnFullDisk: wherever the space runs out, Open says so, and leaves nothing but
// the database.
func TestOpenOnFullDisk(t *testing.T) {
	dir := smallDisk(t, "256k")
	path := filepath.Join(dir, "state.db")
	opened := false
	for ballast := 256 << 10; ballast >= 0 && !opened; ballast -= 4 << 10 {
		if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, ballast), 0o600); err != nil && !storage.NoSpace(err) {
			t.Fatal(err)
		}
		db, err := Open(t.Context(), path)
		if opened = err == nil; opened {
			closeDB(t, db)
			break
		}
		if !storage.NoSpace(err) || !strings.Contains(err.Error(), dir) {
			t.Errorf("with %d bytes in use: %v", ballast, err)
		}
		for name := range snapshot(t, dir) {
			if strings.Contains(name, ".new-") || strings.HasSuffix(name, ".lock") {
				t.Errorf("with %d bytes in use it left %s", ballast, name)
			}
		}
	}
	if !opened {
		t.Error("there was never enough space")
	}
}

// TestReadOnly: a database that can't be written is refused, with the reason.
func TestReadOnly(t *testing.T) {
	path := made(t)
	dir := filepath.Dir(path)
	if os.Geteuid() == 0 {
		// This takes away the permissions that root has on every file.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for _, name := range []string{dir, filepath.Dir(dir), path, path + reserveSuffix} {
			if err := os.Chown(name, 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			_ = syscall.Setfsuid(0)
			t.Skipf("the folder for temporary files is closed for other users, which this test needs: %v", err)
		}
		defer func() {
			if err := syscall.Setfsuid(0); err != nil {
				t.Error(err)
			}
		}()
	}
	chmod := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(dir, 0o500)
	refuses(t, path, "can't be written", "permission denied")
	if _, err := Open(t.Context(), filepath.Join(dir, "sub", "state.db")); !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v, want one of permission", err)
	}
	chmod(dir, 0o700)
	chmod(path, 0o400)
	refuses(t, path, "permission denied")
	chmod(path, 0o000)
	if _, err := Open(t.Context(), path); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one of permission", err)
	}
	chmod(path, 0o600)
}
