//go:build unix && !linux

package local

import (
	"io/fs"
	"syscall"
)

// deviceOf returns the device of the file that info describes.
func deviceOf(info fs.FileInfo) (uint64, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(stat.Dev), true //nolint:unconvert,gosec // the types differ from one system to the next
}
