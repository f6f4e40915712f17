package storage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// accessACL is the extended attribute that contains a file's POSIX ACL. If a file has an
// ACL, the group's permission bits are its mask and don't tell what the group may do.
const accessACL = "system.posix_acl_access"

// keepAccess gives stage the permission bits perm and the ACL of the file name, if the
// backend's files are *os.File.
func keepAccess(ctx context.Context, fsys FS, stage File, name string, perm fs.FileMode) error {
	to, ok := stage.(*os.File)
	if !ok {
		return nil
	}
	acl, err := aclOf(ctx, fsys, name)
	if err == nil && acl != nil {
		if err = syscall.Setxattr(fdPath(to), accessACL, acl, 0); err == nil {
			return nil
		}
	}
	if err != nil {
		perm &^= 0o070 // The ACL is unknown or can't be set, so the group gets no access.
	}
	if _, none := syscall.Getxattr(fdPath(to), accessACL, nil); none == nil {
		// The collection's default ACL has given the stage an ACL.
		if err := syscall.Removexattr(fdPath(to), accessACL); err != nil {
			return err
		}
	}
	info, err := to.Stat()
	if err != nil || info.Mode().Perm()&^perm == 0 {
		return err
	}
	return to.Chmod(info.Mode().Perm() & perm)
}

// aclOf returns the ACL of the file name, or nil if it has none.
func aclOf(ctx context.Context, fsys FS, name string) ([]byte, error) {
	file, err := fsys.OpenFile(ctx, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	from, ok := file.(*os.File)
	if !ok {
		return nil, nil
	}
	size, err := syscall.Getxattr(fdPath(from), accessACL, nil)
	if errors.Is(err, syscall.ENODATA) || errors.Is(err, errors.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	acl := make([]byte, size)
	n, err := syscall.Getxattr(fdPath(from), accessACL, acl)
	if err != nil {
		return nil, err // It may have grown meanwhile.
	}
	return acl[:n], nil
}

// fdPath returns a path of an open file: package syscall has no xattr calls for descriptors.
func fdPath(file *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(file.Fd())) }
