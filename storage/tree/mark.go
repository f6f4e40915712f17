package tree

import (
	"io/fs"
	"strconv"

	"github.com/davd/davd/storage"
)

// mark returns a string that identifies the file that info describes. It stays the same
// across renames and restarts, and no two files that exist at the same time on one
// filesystem share it. It is "" if the storage can't identify files.
func mark(info fs.FileInfo) string {
	if info == nil {
		return ""
	}
	inode, ok := storage.LastingInode(info)
	if !ok {
		return ""
	}
	return strconv.FormatUint(inode, 10)
}
