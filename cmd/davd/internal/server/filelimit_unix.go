//go:build unix

package server

import "syscall"

// fileLimit returns how many files this process may have open. Package os has already raised
// the soft limit to the hard limit.
func fileLimit() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return uint64(limit.Cur) //nolint:unconvert // it is an int64 on FreeBSD
}
