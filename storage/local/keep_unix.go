//go:build unix

package local

import (
	"io/fs"
	"syscall"
)

// keep gives the file fd the permission bits, the ACL, the owner and the group of the file
// in s. Setting the owner and the group may fail, which is not an error.
func keep(fd int, s *spot) error {
	var is syscall.Stat_t
	if err := syscall.Fstat(fd, &is); err != nil {
		return err
	}
	// Set the rights first, while the process still owns the file.
	given, err := rightsOf(s).give(fd, fs.FileMode(is.Mode).Perm())
	if err != nil {
		return err
	}
	was, ok := s.old.Sys().(*syscall.Stat_t)
	if !ok || is.Uid == was.Uid && is.Gid == was.Gid {
		return nil
	}
	if syscall.Fchown(fd, int(was.Uid), int(was.Gid)) == nil || is.Gid == was.Gid || syscall.Fchown(fd, -1, int(was.Gid)) == nil {
		return nil
	}
	// The new file has another group, which must not get the old group's rights.
	return given.limitGroup(fd)
}
