package local

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// keep gives the file fd the permission bits, the ACL, the owner and the group of the file
// in s. Setting the owner and the group may fail, which is not an error.
func (f *FS) keep(fd int, s *spot) error {
	var is unix.Stat_t
	if err := unix.Fstat(fd, &is); err != nil {
		return err
	}
	// Set the rights first, while the process still owns the file.
	given, err := f.rightsOf(s).give(fd, fs.FileMode(is.Mode).Perm())
	if err != nil {
		return err
	}
	was, ok := s.old.Sys().(*syscall.Stat_t)
	if !ok || is.Uid == was.Uid && is.Gid == was.Gid {
		return nil
	}
	if unix.Fchown(fd, int(was.Uid), int(was.Gid)) == nil || is.Gid == was.Gid || unix.Fchown(fd, -1, int(was.Gid)) == nil {
		return nil
	}
	// The new file has another group, which must not get the old group's rights.
	return given.limitGroup(fd)
}

// rights are the permission bits of a file and its ACL, if any. With an ACL, the group's
// bits are the mask of the ACL.
type rights struct {
	perm fs.FileMode
	acl  acl
	// none is set if the filesystem has no ACLs.
	none bool
}

// rightsOf returns the rights of the file in s.
func (f *FS) rightsOf(s *spot) rights {
	r := rights{perm: s.old.Mode().Perm()}
	var err error
	r.acl, err = f.aclAt(s.holder, s.base)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		r.none = true
	case err != nil:
		// The meaning of the group's bits is unknown, so the group gets no access.
		r.perm &^= 0o070
	}
	return r
}

// anyPerm stands for unknown permission bits.
const anyPerm = ^fs.FileMode(0)

// give gives r to the file fd, which has the permission bits perm, and returns the rights
// that the file then has. They have no ACL if the file can't have one.
func (r rights) give(fd int, perm fs.FileMode) (rights, error) {
	if r.acl != nil {
		err := r.acl.set(fd)
		if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, unix.EPERM) {
			return r, err
		}
		r.perm, r.acl = r.acl.without(r.perm), nil
	}
	inherited := false
	if !r.none {
		var err error
		if inherited, err = dropACL(fd); err != nil {
			return r, err
		}
	}
	if !inherited && perm == r.perm {
		return r, nil
	}
	return r, unix.Fchmod(fd, uint32(r.perm))
}

// limitGroup reduces the rights of the group of the file fd, which has r, to those of
// others.
func (r rights) limitGroup(fd int) error {
	if r.acl != nil {
		return r.acl.groupAsOthers().set(fd)
	}
	if fewer := groupAsOthers(r.perm); fewer != r.perm {
		return unix.Fchmod(fd, uint32(fewer))
	}
	return nil
}
