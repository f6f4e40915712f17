package local

import (
	"os"

	"golang.org/x/sys/windows"
)

// space asks for the volume by the path of file, the only way there is.
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

// volumePath is the collection that holds path if that is a file.
func volumePath(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path, _ = splitLast(path)
	}
	return path
}
