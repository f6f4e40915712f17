//go:build darwin || freebsd || netbsd

package storage

import "syscall"

// identity returns the time of the last change of a file, in nanoseconds since
// 1970, and its inode.
func identity(sys any) (changed int64, inode uint64, ok bool) {
	if stat, ok := sys.(*syscall.Stat_t); ok {
		return stat.Ctimespec.Nano(), stat.Ino, true
	}
	return 0, 0, false
}
