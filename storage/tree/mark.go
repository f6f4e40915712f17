package tree

import (
	"io/fs"
	"strconv"

	"github.com/davd/davd/storage"
)

// mark returns what identifies the file that info describes, across renames and
// restarts, among those that are there at the same time on its filesystem; ""
// where nothing does.
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
