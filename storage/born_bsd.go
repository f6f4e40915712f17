//go:build darwin || freebsd || netbsd

package storage

import "syscall"

// bornAt returns the creation time in nanoseconds since 1970.
func bornAt(sys any) int64 {
	if stat, ok := sys.(*syscall.Stat_t); ok {
		return stat.Birthtimespec.Nano()
	}
	return 0
}
