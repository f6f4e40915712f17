//go:build linux || darwin || freebsd

package sqlstate

import (
	"math"

	"golang.org/x/sys/unix"
)

// freeSpace returns how many more bytes this process may write on the filesystem of
// path. If that is unknown, it returns the largest number.
func freeSpace(path string) int64 {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return math.MaxInt64
	}
	available, size := uint64(max(0, stat.Bavail)), uint64(stat.Bsize) //nolint:gosec,unconvert // types differ between systems
	if size != 0 && available > math.MaxInt64/size {
		return math.MaxInt64
	}
	return int64(available * size) //nolint:gosec // see above
}
