//go:build darwin || freebsd

package local

import (
	"os"

	"golang.org/x/sys/unix"
)

func space(file *os.File) (used, available int64, err error) {
	var stat unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &stat); err != nil {
		return 0, 0, err
	}
	unit := uint64(stat.Bsize)
	// On FreeBSD, Bavail is negative if only root has room left.
	left := uint64(max(int64(stat.Bavail), 0)) //nolint:gosec // on Darwin it is unsigned
	return saturated(stat.Blocks-min(stat.Blocks, stat.Bfree), unit), saturated(left, unit), nil
}
