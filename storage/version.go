package storage

import (
	"io/fs"
	"strconv"
)

// Inode returns the number that tells the file that info describes from all that
// are there at the same time on its filesystem, whatever their names; false where
// nothing does.
func Inode(info fs.FileInfo) (uint64, bool) {
	_, inode, ok := identity(info.Sys())
	return inode, ok && inode != 0
}

// Version returns what distinguishes the state that info describes from those
// before and after it, as hexadecimal digits and "-", fit for an entity tag
// (RFC 9110 §8.8.3). It is made of the modification time and the size, and,
// where info.Sys() has them, the time of the last change, which nobody can set,
// and the inode; nothing of that changes with a restart. A collection's changes
// when a member is added, removed or renamed, if its modification time does.
//
// strong is false where only time and size are known: content of the same size
// may have been given the same time. Nor can it tell apart two changes that are
// made in place within one tick of the disk's clock; see [Modified].
func Version(info fs.FileInfo) (version string, strong bool) {
	buf := make([]byte, 0, 4*17)
	buf = strconv.AppendUint(buf, uint64(info.ModTime().UnixNano()), 16)
	buf = append(buf, '-')
	buf = strconv.AppendUint(buf, uint64(info.Size()), 16) //nolint:gosec // any bits will do
	changed, inode, strong := identity(info.Sys())
	if info.IsDir() {
		changed = 0 // a rename of the collection itself changes nothing in it
	}
	if strong {
		buf = append(buf, '-')
		buf = strconv.AppendUint(buf, uint64(changed), 16)
		buf = append(buf, '-')
		buf = strconv.AppendUint(buf, inode, 16)
	}
	return string(buf), strong
}
