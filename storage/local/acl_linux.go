package local

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"
)

// accessACL is the extended attribute that contains a file's POSIX ACL.
const accessACL = "system.posix_acl_access"

// acl is the value of accessACL: a version, then entries that consist of a tag,
// permission bits and an ID, all little-endian (linux/posix_acl_xattr.h).
type acl []byte

const (
	aclVersion = 4 // bytes
	aclEntry   = 8 // bytes

	aclUser     = 0x02
	aclGroupObj = 0x04 // the owning group
	aclGroup    = 0x08
	aclOther    = 0x20
)

// bits returns the permission bits of each entry with the tag. Writing to them changes a.
func (a acl) bits(tag uint16) (all [][]byte) {
	for at := aclVersion; at+aclEntry <= len(a); at += aclEntry {
		if binary.LittleEndian.Uint16(a[at:]) == tag {
			all = append(all, a[at+2:at+4])
		}
	}
	return all
}

// without returns the permission bits for a copy without an ACL of a file that has the
// ACL a and the bits perm. The copy's group gets no more than the entry of the owning
// group allows, and no user or group with an entry gains access as one of the others.
func (a acl) without(perm fs.FileMode) fs.FileMode {
	mask, group := perm>>3&7, fs.FileMode(0)
	for _, bits := range a.bits(aclGroupObj) {
		group = fs.FileMode(bits[0])
	}
	others := perm & 7
	for _, bits := range append(a.bits(aclUser), a.bits(aclGroup)...) {
		others &= mask & fs.FileMode(bits[0])
	}
	return perm&0o700 | mask&group<<3 | others
}

// groupAsOthers returns a for a file whose owning group has changed: the new group gets
// no more access than others.
func (a acl) groupAsOthers() acl {
	a = slices.Clone(a)
	for _, group := range a.bits(aclGroupObj) {
		for _, others := range a.bits(aclOther) {
			group[0] &= others[0]
		}
	}
	return a
}

// set sets the ACL of the file fd to a, which also sets the permission bits.
func (a acl) set(fd int) error {
	_, err := retry(func() (int, error) { return 0, unix.Fsetxattr(fd, accessACL, a, 0) })
	return err
}

// dropACL removes the ACL of the file fd. A new file has one if its collection has a
// default ACL.
func dropACL(fd int) (dropped bool, err error) {
	n, err := unix.Fgetxattr(fd, accessACL, nil)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, errors.ErrUnsupported) || err == nil && n == 0 {
		return false, nil
	}
	return true, unix.Fremovexattr(fd, accessACL)
}

// aclAt returns the ACL of the file base in the collection holder, or nil if it has none.
// holder may be an O_PATH descriptor. If the filesystem has no ACLs, aclAt returns
// errors.ErrUnsupported.
func aclAt(holder int, base string) (acl, error) {
	buf, _ := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buf)
	n, err := getACL(holder, base, buf[:])
	switch {
	case errors.Is(err, unix.ENODATA), err == nil && n == 0:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return slices.Clone(acl(buf[:n])), nil
}

// getACL reads an ACL into buf by /proc, because fgetxattr(2) doesn't accept an O_PATH
// descriptor. Without /proc, it opens the file.
func getACL(holder int, base string, buf []byte) (int, error) {
	path := procPath(holder) + "/" + base
	n, err := retry(func() (int, error) { return unix.Lgetxattr(path, accessACL, buf) })
	if !errors.Is(err, unix.ENOENT) {
		return n, err
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(holder, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|nonblock, 0)
	})
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return unix.Fgetxattr(fd, accessACL, buf)
}
