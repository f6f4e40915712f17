package local

import "golang.org/x/sys/unix"

// defaultACL is the extended attribute that contains the ACL for new members of a collection.
const defaultACL = "system.posix_acl_default"

// hasDefaultACL reports whether the collection local has a default ACL, which then applies to
// new members instead of a umask.
func (f *FS) hasDefaultACL(local string) bool {
	if f.owned == nil || f.owned.umask == nil {
		return false
	}
	dir, err := f.openHandle(local)
	if err != nil {
		return false
	}
	defer dir.Close()
	return givesACL(int(dir.Fd()))
}

// givesACL reports whether the collection dir, which may be an O_PATH descriptor, has a
// default ACL.
func givesACL(dir int) bool {
	n, err := retry(func() (int, error) { return unix.Getxattr(procPath(dir), defaultACL, nil) })
	return err == nil && n > 0
}
