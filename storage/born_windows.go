package storage

import "syscall"

// bornAt returns the creation time in nanoseconds since 1970.
func bornAt(sys any) int64 {
	if data, ok := sys.(*syscall.Win32FileAttributeData); ok {
		return data.CreationTime.Nanoseconds()
	}
	return 0
}
