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
