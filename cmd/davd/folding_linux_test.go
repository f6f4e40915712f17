package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// mountFolding mounts a filesystem that folds names at dir until the test ends. If it can't, dir is a
// plain directory, and folds is false.
func mountFolding(t *testing.T, dir string) (folds bool) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	if os.Geteuid() != 0 {
		return false
	}
	image := dir + ".image"
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 32<<20))
	device, err := exec.Command("losetup", "--find", "--show", image).Output()
	if err != nil {
		t.Log("no loop device", err)
		return false
	}
	loop := strings.TrimSpace(string(device))
	t.Cleanup(func() { runTool(t, "losetup", "--detach", loop) })
	runTool(t, "mkfs.exfat", loop)
	runTool(t, "mount.exfat-fuse", loop, dir)
	t.Cleanup(func() { runTool(t, "umount", "--lazy", dir) })
	return true
}

func runTool(t *testing.T, command ...string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%q: %v: %s", command, err, out)
	}
}
