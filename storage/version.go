package storage

import (
	"io/fs"
	"strconv"
)

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
	dst, strong := AppendVersion(make([]byte, 0, 4*17), info)
	return string(dst), strong
}

// AppendVersion appends what [Version] returns to dst.
func AppendVersion(dst []byte, info fs.FileInfo) (version []byte, strong bool) {
	dst = strconv.AppendUint(dst, uint64(info.ModTime().UnixNano()), 16)
	dst = append(dst, '-')
	dst = strconv.AppendUint(dst, uint64(info.Size()), 16) //nolint:gosec // any bits will do
	id, strong := identify(info)
	if info.IsDir() {
		id.changed = 0 // a rename of the collection itself changes nothing in it
	}
	if strong {
		dst = append(dst, '-')
		dst = strconv.AppendUint(dst, uint64(id.changed), 16) //nolint:gosec // any bits will do
		dst = append(dst, '-')
		dst = strconv.AppendUint(dst, id.inode, 16)
	}
	return dst, strong
}
