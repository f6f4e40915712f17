//go:build !windows

package share

import (
	"os"
	"syscall"
)

// mayBeLinked reports whether a file has several names and is on the filesystem of root.
func mayBeLinked(root, file os.FileInfo) bool {
	of, ok1 := file.Sys().(*syscall.Stat_t)
	in, ok2 := root.Sys().(*syscall.Stat_t)
	return ok1 && ok2 && of.Nlink > 1 && of.Dev == in.Dev
}
