package local

import (
	"os"

	"golang.org/x/sys/windows"
)

// space finds the volume by the path of file, because Windows offers no other way.
func space(file *os.File) (used, available int64, err error) {
	path, err := windows.UTF16PtrFromString(volumePath(file.Name()))
	if err != nil {
		return 0, 0, err
	}
	var left, total, free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &left, &total, &free); err != nil {
		return 0, 0, err
	}
	return saturated(total-min(total, free), 1), saturated(left, 1), nil
}

// volumePath returns path, or its parent if path is a file.
func volumePath(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path, _ = splitLast(path)
	}
	return path
}
