package storage

import "syscall"

// identityOf reports false, because on Windows an fs.FileInfo contains neither the time of
// the last change nor the number of the file. It returns the creation time.
func identityOf(sys any) (identity, bool) {
	if data, ok := sys.(*syscall.Win32FileAttributeData); ok {
		return identity{born: data.CreationTime.Nanoseconds()}, false
	}
	return identity{}, false
}
