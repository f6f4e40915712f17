//go:build unix

package local

import (
	"io/fs"
	"os"
	"syscall"
)

// keep gives file the permission bits, the owner and the group of what old
// describes. The latter two it can't always give.
func keep(file *os.File, old fs.FileInfo) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	perm := old.Mode().Perm()
	// First, while the file is the process's own.
	if info.Mode().Perm() != perm {
		if err := file.Chmod(perm); err != nil {
			return err
		}
	}
	is, ok := info.Sys().(*syscall.Stat_t)
	was, wasOK := old.Sys().(*syscall.Stat_t)
	if !ok || !wasOK || is.Uid == was.Uid && is.Gid == was.Gid {
		return nil
	}
	if file.Chown(int(was.Uid), int(was.Gid)) == nil || is.Gid == was.Gid || file.Chown(-1, int(was.Gid)) == nil {
		return nil
	}
	// Another group must not get what was the old one's.
	if fewer := perm&^0o070 | perm&0o070&(perm<<3); fewer != perm {
		return file.Chmod(fewer)
	}
	return nil
}
