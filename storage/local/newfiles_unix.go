//go:build unix

package local

import (
	"errors"
	"io/fs"
	"syscall"
)

// canOwn says that files have an owner, a group and permission bits.
const canOwn = true

// give gives the new file or collection fd its owner, its group and those of the permission
// bits perm that the umask allows. If inherits is set, a default ACL has decided about the
// permissions. A filesystem that can't store owners or permissions keeps its own.
func (o *owned) give(fd int, perm fs.FileMode, inherits bool) error {
	if o == nil {
		return nil
	}
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil {
		return err
	}
	uid, gid := -1, -1
	if o.uid != nil && uint32(*o.uid) != stat.Uid { //nolint:gosec // it is one
		uid = *o.uid
	}
	if o.gid != nil && uint32(*o.gid) != stat.Gid { //nolint:gosec // it is one
		gid = *o.gid
	}
	if uid >= 0 || gid >= 0 {
		if err := syscall.Fchown(fd, uid, gid); !notKept(err) {
			return err
		}
	}
	if o.umask == nil || inherits {
		return nil
	}
	mode := uint32(o.perm(perm)) | uint32(stat.Mode)&syscall.S_ISGID //nolint:unconvert // uint16 on some systems
	if mode == uint32(stat.Mode)&0o7777 {                            //nolint:unconvert // uint16 on some systems
		return nil
	}
	if err := syscall.Fchmod(fd, mode); !notKept(err) {
		return err
	}
	return nil
}

// notKept reports whether err is nil or says that the filesystem can't store the value.
func notKept(err error) bool {
	return err == nil || errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported)
}
