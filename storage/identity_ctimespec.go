//go:build darwin || freebsd || netbsd

package storage

import "syscall"

func identityOf(sys any) (identity, bool) {
	stat, ok := sys.(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	//nolint:unconvert // the types differ from one system to the next
	id := identity{device: uint64(stat.Dev), inode: uint64(stat.Ino), changed: stat.Ctimespec.Nano()}
	id.born = stat.Birthtimespec.Nano()
	return id, true
}
