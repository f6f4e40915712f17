package local

import (
	"errors"

	"golang.org/x/sys/unix"
)

// noRoom are the errors of fallocate(2) that a write would return too. Any other error only
// means that this file can't reserve room.
var noRoom = []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG}

// reserve allocates room for size bytes from offset on. It doesn't change the size of the
// file.
func reserve(fd int, offset, size int64) error {
	_, err := retry(func() (int, error) {
		return 0, unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, offset, size)
	})
	if isOneOf(err, noRoom) {
		return err
	}
	return nil
}

// largeFile is the maximum size of a file on some filesystems, in bytes.
const largeFile = 1<<31 - 1

// mayFit returns an error if the filesystem has no room for size bytes from offset on, or
// if a file can't be that long. If the filesystem doesn't know, the writes may still fail.
func mayFit(fd int, offset, size int64) error {
	var stat unix.Statfs_t
	_, err := retry(func() (int, error) { return 0, unix.Fstatfs(fd, &stat) })
	if err == nil {
		if _, available := spaceOf(&stat); available < size && stat.Blocks > 0 {
			return unix.ENOSPC
		}
	}
	if offset+size <= largeFile {
		return nil
	}
	// lseek(2) refuses an offset that no file on this filesystem can have.
	if _, err := unix.Seek(fd, offset+size, unix.SEEK_SET); errors.Is(err, unix.EINVAL) {
		return unix.EFBIG
	}
	_, err = unix.Seek(fd, offset, unix.SEEK_SET)
	return err
}
