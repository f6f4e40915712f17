package local

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

// renameLocal renames from to the name to of into, or swaps them, as how says.
func (f *FS) renameLocal(from string, into *FS, to string, how storage.Renaming) error {
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
	switch {
	case how.Swap:
		flags = unix.RENAME_EXCHANGE
	case how.Vacant:
		flags = unix.RENAME_NOREPLACE
	}
	_, fromBase := splitLast(from)
	_, toBase := splitLast(to)
	err = unix.Renameat2(int(source.Fd()), fromBase, int(target.Fd()), toBase, flags)
	if how.Vacant && errors.Is(err, unix.EINVAL) {
		return linkVacant(int(source.Fd()), fromBase, int(target.Fd()), toBase)
	}
	if errors.Is(err, unix.EINVAL) {
		// The filesystem can't do it, or one of them really lies below the other.
		return errors.ErrUnsupported
	}
	return err
}

// linkVacant renames a file on a filesystem without RENAME_NOREPLACE, such as NFS. For a collection
// it uses a plain rename, which replaces only an empty collection.
func linkVacant(source int, from string, target int, to string) error {
	err := unix.Linkat(source, from, target, to, 0)
	switch {
	case err == nil:
		return unix.Unlinkat(source, from, 0)
	case errors.Is(err, unix.EPERM) || errors.Is(err, unix.EOPNOTSUPP):
		return unix.Renameat(source, from, target, to)
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
	return f.renameLocal(from, f, to, storage.Renaming{})
}
