package pgstate

import (
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// lockAlone locks a byte far behind the content until the file is closed, or the process ends.
func lockAlone(file *os.File) error {
	return windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: math.MaxInt32})
}
