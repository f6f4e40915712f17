package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// canMount reports whether this user may mount a filesystem.
func canMount(scratch string) (bool, error) {
	dir := filepath.Join(scratch, "mount")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return false, err
	}
	err := mountTmpfs(dir)
	if errors.Is(err, syscall.EPERM) {
		return false, nil
	}
	if err == nil {
		err = syscall.Unmount(dir, syscall.MNT_DETACH)
	}
	return err == nil, err
}

func mountTmpfs(dir string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,mode=755")
}

// tmpfs mounts a tmpfs at a new directory until the script ends: tmpfs DIR
func tmpfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tmpfs DIR")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.Mkdir(dir, 0o755))
	ts.Check(mountTmpfs(dir))
	ts.Defer(func() { ts.Check(syscall.Unmount(dir, syscall.MNT_DETACH)) })
}
