package local

import (
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

// respell changes the spelling of the name of the collection from, if the filesystem folds
// names. An os.Root refuses this rename because it takes the new spelling for another
// existing collection: a filesystem in user space may give each spelling another number.
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
		return fs.ErrExist // Another collection has this spelling.
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
