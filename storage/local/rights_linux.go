package local

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// rights are the permission bits of a file and its ACL, if any. With an ACL, the group's
// bits are the mask of the ACL.
type rights struct {
	perm fs.FileMode
	acl  acl
	// none is set if the filesystem has no ACLs.
	none bool
}

// rightsOf returns the rights of the file in s.
func rightsOf(s *spot) rights {
	r := rights{perm: s.old.Mode().Perm()}
	var err error
	r.acl, err = aclAt(s.holder, s.base)
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
