package local

import (
	"errors"

	"golang.org/x/sys/unix"
)

func (f *FS) exchangeLocal(a, b string) error {
	parentA, err := f.openParent(a)
	if err != nil {
		return err
	}
	defer parentA.Close()
	parentB, err := f.openParent(b)
	if err != nil {
		return err
	}
	defer parentB.Close()
	_, baseA := splitLast(a)
	_, baseB := splitLast(b)
	err = unix.Renameat2(int(parentA.Fd()), baseA, int(parentB.Fd()), baseB, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) {
		// The filesystem can't do it, or a link makes one of them lie below the other.
		return errors.ErrUnsupported
	}
	return err
}
