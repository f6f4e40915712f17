package storage

import (
	"io/fs"
	"strconv"
)

// Version returns a string that distinguishes the present state of a resource, which info
// describes, from its earlier and later states. The string consists of hexadecimal digits and
// "-", so it can be used in an entity tag (RFC 9110 §8.8.3). It is made of the modification time
// and the size and, if info.Sys() has them, the time of the last change, which no program can
// set, and the inode. It is the same after a restart. The version of a collection changes when a
// member is added, removed or renamed, if the backend then changes its modification time.
//
// strong is false if only time and size are known, because other content of the same size
// may have been given the same time. Even a strong version can't distinguish two changes
// made in place within one tick of the disk's clock; see [Modified].
func Version(info fs.FileInfo) (version string, strong bool) {
	dst, strong := AppendVersion(make([]byte, 0, 4*17), info)
	return string(dst), strong
}

// AppendVersion appends the result of [Version] to dst.
func AppendVersion(dst []byte, info fs.FileInfo) (version []byte, strong bool) {
	dst = strconv.AppendUint(dst, uint64(info.ModTime().UnixNano()), 16)
	dst = append(dst, '-')
	dst = strconv.AppendUint(dst, uint64(info.Size()), 16) //nolint:gosec // any bits will do
	id, strong := identify(info)
	if info.IsDir() {
		id.changed = 0 // Renaming the collection itself must not change its version.
	}
	if strong {
		dst = append(dst, '-')
		dst = strconv.AppendUint(dst, uint64(id.changed), 16) //nolint:gosec // any bits will do
		dst = append(dst, '-')
		dst = strconv.AppendUint(dst, id.inode, 16)
	}
	return dst, strong
}
