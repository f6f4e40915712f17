package shares

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// errNotMounted is the reason why a directory with mounted: true is not used.
var errNotMounted = errors.New("no disk is mounted there: mount it, or remove mounted: true")

// checkMounted returns an error if dir is on the same mount as the root of the system.
func checkMounted(dir string) error {
	mount, err := mountOf(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	root, err := mountOf("/")
	if err == nil && mount == root {
		err = errNotMounted
	}
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// mountOf returns the number of the mount that contains dir.
func mountOf(dir string) (uint64, error) {
	var stat unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_MNT_ID, &stat); err != nil {
		return 0, err
	}
	if stat.Mask&unix.STATX_MNT_ID == 0 { // before Linux 5.8
		return uint64(stat.Dev_major)<<32 | uint64(stat.Dev_minor), nil
	}
	return stat.Mnt_id, nil
}
