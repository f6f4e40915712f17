package local

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// noRoom are the errors of fallocate(2) that a write would meet too. Any other
// says that there is nothing to be set aside here.
var noRoom = []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG}

// reserve sets room aside for size bytes from offset on, and leaves the size of
// the file as it is.
func reserve(fd int, offset, size int64) error {
	_, err := retry(func() (int, error) {
		return 0, unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, offset, size)
	})
	if slices.ContainsFunc(noRoom, func(no error) bool { return errors.Is(err, no) }) {
		return err
	}
	return nil
}

// largeFile is the size, in bytes, above which some filesystems hold no file.
const largeFile = 1<<31 - 1

// mayFit fails if the filesystem has no room for size bytes from offset on in the
// file, or holds no file that long. A filesystem that does not know may fail later.
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
