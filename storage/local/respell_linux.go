package local

import (
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

// respell renames the collection from to another spelling of its name, where the file
// system folds names. To an os.Root the other spelling is a collection that exists,
// because a file system in user space may have another number for it.
func (f *FS) respell(from, to string) error {
	base, spelling := splitOff(from), splitOff(to)
	if parent(from) != parent(to) || storage.Fold(base) != storage.Fold(spelling) || !f.folds(parent(from)) {
		return fs.ErrExist
	}
	names, err := f.readNames(parent(from))
	if err != nil {
		return err
	}
	if slices.Contains(names, spelling) {
		return fs.ErrExist // It is another one.
	}
	dir, err := f.openParent(from)
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Renameat(int(dir.Fd()), base, int(dir.Fd()), spelling)
}

func splitOff(local string) string {
	_, base := splitLast(local)
	return base
}
