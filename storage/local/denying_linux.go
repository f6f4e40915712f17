package local

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func openStart(root *os.Root) (*os.File, error) {
	return root.OpenFile(rootName, unix.O_PATH|unix.O_DIRECTORY, 0)
}

// noOpenat2 are the errors of openat2(2) that require a look at each segment: the kernel
// is older than 5.6, a sandbox blocks the call, a rename interfered, or the path is too
// long for one call.
var noOpenat2 = []error{unix.ENOSYS, unix.EPERM, unix.E2BIG, unix.EINVAL, unix.EAGAIN, unix.ENAMETOOLONG}

// check returns syscall.ELOOP if a segment of name is a symbolic link, or another error if
// the last segment can't be reached.
func (d *denying) check(name string) error {
	if d.start == nil {
		return d.checkEach(name)
	}
	fd, err := openBeneath(int(d.start.Fd()), name, unix.O_PATH, 0)
	if err == nil {
		return unix.Close(fd)
	}
	switch {
	case isOneOf(err, noOpenat2):
		return d.checkEach(name)
	case errors.Is(err, unix.EBADF):
		return os.ErrClosed
	}
	return err
}
