package local

import (
	"errors"

	"golang.org/x/sys/unix"
)

// renameLocal renames from to the name to of into, or swaps them.
func (f *FS) renameLocal(from string, into *FS, to string, swap bool) error {
	source, err := f.openParent(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := into.openParent(to)
	if err != nil {
		return err
	}
	defer target.Close()
	flags := uint(0)
	if swap {
		flags = unix.RENAME_EXCHANGE
	}
	_, fromBase := splitLast(from)
	_, toBase := splitLast(to)
	err = unix.Renameat2(int(source.Fd()), fromBase, int(target.Fd()), toBase, flags)
	if errors.Is(err, unix.EINVAL) {
		// The filesystem can't do it, or one of them really lies below the other.
		return errors.ErrUnsupported
	}
	return err
}
