package local

import (
	"io/fs"
	"testing"

	"golang.org/x/sys/unix"
)

// NeverClones reports whether f has remembered that the filesystem of the directory dir can't share
// blocks between files.
func (f *FS) NeverClones(t *testing.T, dir string) bool {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		t.Fatal(err)
	}
	_, never := f.noClone.Load([2]uint64{stat.Dev, stat.Dev})
	return never
}

// WithoutACL returns the permission bits for a copy, without an ACL, of a file that has perm and
// the ACL value.
func WithoutACL(value []byte, perm fs.FileMode) fs.FileMode { return acl(value).without(perm) }

// Passed returns how many segments of long paths the kernel has resolved for f.
func (f *FS) Passed() int64 { return f.short.anchors.passed.Load() }
