package local

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// CheckShared returns an error if the directory dir, or a mount below it, is on a filesystem that
// several servers must not change at the same time. The error says what to do. It checks nothing
// on other systems than Linux.
func CheckShared(dir string) error {
	resolved, err := filepath.EvalSymlinks(dir)
	if err == nil {
		resolved, err = filepath.Abs(resolved)
	}
	if err != nil {
		return err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("davd can't tell whether several servers may share %s: %w", dir, err)
	}
	var id uint64
	var stat unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, resolved, 0, unix.STATX_MNT_ID, &stat) == nil && stat.Mask&unix.STATX_MNT_ID != 0 {
		id = stat.Mnt_id
	}
	return checkMounts(string(mounts), resolved, id)
}
