package sqlstate

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/net/webdav"
	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

// immutable sets or clears the attribute that stops even root from writing. It reports
// whether the filesystem supports it.
func immutable(t *testing.T, name string, set bool) bool {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	flags, err := unix.IoctlGetInt(int(file.Fd()), unix.FS_IOC_GETFLAGS)
	if err == nil {
		if flags &^= unix.STATX_ATTR_IMMUTABLE; set {
			flags |= unix.STATX_ATTR_IMMUTABLE // This has the same value as FS_IMMUTABLE_FL.
		}
		err = unix.IoctlSetPointerInt(int(file.Fd()), unix.FS_IOC_SETFLAGS, flags)
	}
	return err == nil
}

// TestImmutable: while the files can't be written, no change is acknowledged. Once they
// can, nothing of the refused changes exists, and everything works.
func TestImmutable(t *testing.T) {
	db, _ := logged(t, t.TempDir())
	fill(t, db)
	names := []string{db.path, db.path + "-wal", db.path + reserveSuffix}
	defer func() {
		for _, name := range names {
			immutable(t, name, false)
		}
	}()
	for _, name := range names {
		if !immutable(t, name, true) {
			t.Skip("the filesystem of the temporary files has no immutable files, or this user may not make one; TestBrokenState of dav has a disk that fails everywhere")
		}
	}
	ctx := t.Context()
	_, secure := db.Secure(ctx, "/many", "/c", 0)
	other := aLock
	other.Token = "other"
	for what, err := range map[string]error{
		"Patch":      db.Patch(ctx, "/b", []webdav.Proppatch{{Props: []webdav.Property{aProperty}}}),
		"Remove":     db.Remove(ctx, "/a"),
		"SaveLock":   db.SaveLock(ctx, other),
		"SaveRecord": db.SaveRecord(ctx, "a", []byte("r")),
		"SaveUrgent": db.SaveUrgent(ctx, "a", []byte("r")),
		"Secure":     secure,
	} {
		if !errors.Is(err, storage.ErrState) || errors.Is(err, unix.EPERM) {
			t.Errorf("%s: error %v, want storage.ErrState", what, err)
		}
	}
	for _, name := range names {
		immutable(t, name, false)
	}
	wantProperty(t, db, "/a", "value")
	db = reopen(t, db)
	wantProperty(t, db, "/a", "value")
	wantLocks(t, db, aLock)
	wantRecords(t, db)
	if found, err := db.Any(ctx, "/b"); found || err != nil {
		t.Errorf("Any = %t, %v", found, err)
	}
	patch(t, db, "/b", aProperty)
}
