package local

import (
	"os"

	"golang.org/x/sys/unix"
)

func space(file *os.File) (used, available int64, err error) {
	var stat unix.Statfs_t
	_, err = retry(func() (int, error) { return 0, unix.Fstatfs(int(file.Fd()), &stat) })
	if err != nil {
		return 0, 0, err
	}
	used, available = spaceOf(&stat)
	return used, available, nil
}

// spaceOf returns the used and the available space of a filesystem, in bytes.
func spaceOf(stat *unix.Statfs_t) (used, available int64) {
	size := stat.Frsize
	if size == 0 {
		size = stat.Bsize
	}
	unit := uint64(size) //nolint:gosec // no size is negative
	return saturated(stat.Blocks-min(stat.Blocks, stat.Bfree), unit), saturated(stat.Bavail, unit)
}
