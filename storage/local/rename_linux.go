package local

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
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

// respell changes the spelling of the name of the collection from, if the filesystem folds
// names. An os.Root refuses this rename because it takes the new spelling for another
// existing collection: a filesystem in user space may give each spelling another number.
func (f *FS) respell(from, to string) error {
	base, spelling := filepath.Base(from), filepath.Base(to)
	if parent(from) != parent(to) || storage.Fold(base) != storage.Fold(spelling) || !f.folds(parent(from)) {
		return fs.ErrExist
	}
	names, err := f.readNames(parent(from))
	if err != nil {
		return err
	}
	if slices.Contains(names, spelling) {
		return fs.ErrExist // Another collection has this spelling.
	}
	return f.renameLocal(from, f, to, false)
}
