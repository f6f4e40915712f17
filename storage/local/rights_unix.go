//go:build unix && !linux

package local

import (
	"io/fs"
	"syscall"
)

// rights are the permission bits of a file. davd doesn't keep ACLs here.
type rights struct{ perm fs.FileMode }

// rightsOf returns the rights of the file in s.
func rightsOf(s *spot) rights { return rights{s.old.Mode().Perm()} }

// give gives r to the file fd, which has the permission bits perm.
func (r rights) give(fd int, perm fs.FileMode) (rights, error) {
	if perm == r.perm {
		return r, nil
	}
	return r, syscall.Fchmod(fd, uint32(r.perm))
}

// limitGroup reduces the rights of the group of the file fd, which has r, to those of
// others.
func (r rights) limitGroup(fd int) error {
	if fewer := groupAsOthers(r.perm); fewer != r.perm {
		return syscall.Fchmod(fd, uint32(fewer))
	}
	return nil
}
