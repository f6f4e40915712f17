//go:build unix

package tree

import (
	"io/fs"
	"strconv"
	"syscall"
)

// mark returns what identifies the file that info describes, across renames and
// restarts, among those that are there at the same time on its filesystem; ""
// where nothing does.
func mark(info fs.FileInfo) string {
	if info == nil {
		return ""
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Ino != 0 {
		return strconv.FormatUint(stat.Ino, 10)
	}
	return ""
}
