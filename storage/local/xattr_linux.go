package local

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// userAttribute begins the names of those extended attributes that anybody who
// may write a file may set. The others are the system's.
const userAttribute = "user."

// attributes copies extended attributes. It remembers a filesystem that has none.
type attributes struct {
	none bool
	dev  uint64 // that has none
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

// attributeGone are errors of reading an attribute, or of setting it, that cost
// the copy this attribute and no more: it has been removed, may not be read, is
// of no kind that the filesystem keeps, or finds no room. The room for content
// is another one; who has none of that learns it from the content.
var attributeGone = []error{
	unix.ENODATA, unix.EACCES, unix.EPERM, unix.EOPNOTSUPP, unix.ENOSYS,
	unix.ENOSPC, unix.EDQUOT, unix.E2BIG, unix.ERANGE,
}

// copy gives fd those attributes of o that names are.
func (a *attributes) copy(o *original, fd int, names []string, buf []byte) error {
	for _, name := range names {
		n, err := retry(func() (int, error) { return unix.Fgetxattr(o.fd, name, buf) })
		if err == nil {
			_, err = retry(func() (int, error) { return 0, unix.Fsetxattr(fd, name, buf[:n], 0) })
		}
		if err != nil && !slices.ContainsFunc(attributeGone, func(gone error) bool { return errors.Is(err, gone) }) {
			return err
		}
	}
	return nil
}

// copyACL gives fd the ACL of o and then the permission bits perm, of which those of
// the group are the ACL's mask.
func copyACL(o *original, fd int, perm fs.FileMode, buf []byte) error {
	r := rights{perm: perm}
	n, err := retry(func() (int, error) { return unix.Fgetxattr(o.fd, accessACL, buf) })
	if err == nil {
		r.acl = buf[:n]
	} else {
		r.perm &^= 0o070 // What they stand for is not known.
	}
	if r, err = r.give(fd, anyPerm); err != nil || r.acl == nil || perm == o.perm() {
		return err
	}
	return unlessNotKept(unix.Fchmod(fd, uint32(perm)))
}
