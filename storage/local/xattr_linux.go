package local

import (
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// userAttribute starts the names of the extended attributes that anyone with write access
// to a file may set. The others belong to the system.
const userAttribute = "user."

// attributes copies extended attributes. It remembers a filesystem that has none, which
// saves calls.
type attributes struct {
	none bool
	dev  uint64 // the filesystem without attributes
}

// list returns the names of the user attributes of o, and whether it has an ACL.
func (a *attributes) list(o *original, buf []byte) (names []string, hasACL bool, err error) {
	if a.none && a.dev == o.stat.Dev {
		return nil, false, nil
	}
	n, err := retry(func() (int, error) { return unix.Flistxattr(o.fd, buf) })
	if errors.Is(err, errors.ErrUnsupported) {
		a.none, a.dev = true, o.stat.Dev
		return nil, false, nil
	}
	if err != nil || n == 0 {
		return nil, false, err
	}
	for name := range strings.SplitSeq(string(buf[:n]), "\x00") {
		if strings.HasPrefix(name, userAttribute) {
			names = append(names, name)
		}
		hasACL = hasACL || name == accessACL
	}
	return names, hasACL, nil
}

// attributeGone are errors of reading or setting an attribute that make the copy lack only
// this attribute: it has been removed, can't be read, isn't supported by the filesystem or
// finds no room. Attributes don't use the room for content; if that is missing, copying the
// content fails.
var attributeGone = []error{
	unix.ENODATA, unix.EACCES, unix.EPERM, unix.EOPNOTSUPP, unix.ENOSYS,
	unix.ENOSPC, unix.EDQUOT, unix.E2BIG, unix.ERANGE,
}

// copy copies the attributes of o with these names to fd.
func (a *attributes) copy(o *original, fd int, names []string, buf []byte) error {
	for _, name := range names {
		n, err := retry(func() (int, error) { return unix.Fgetxattr(o.fd, name, buf) })
		if err == nil {
			_, err = retry(func() (int, error) { return 0, unix.Fsetxattr(fd, name, buf[:n], 0) })
		}
		if err != nil && !isOneOf(err, attributeGone) {
			return err
		}
	}
	return nil
}

// copyACL sets the ACL of fd to that of o, and then sets the permission bits perm. The
// group's bits in perm are the mask of the ACL.
func copyACL(o *original, fd int, perm fs.FileMode, buf []byte) error {
	r := rights{perm: perm}
	n, err := retry(func() (int, error) { return unix.Fgetxattr(o.fd, accessACL, buf) })
	if err == nil {
		r.acl = buf[:n]
	} else {
		r.perm &^= 0o070 // The meaning of the group's bits is unknown, so the group gets no access.
	}
	if r, err = r.give(fd, anyPerm); err != nil || r.acl == nil || perm == o.perm() {
		return err
	}
	return unlessNotKept(unix.Fchmod(fd, uint32(perm)))
}
