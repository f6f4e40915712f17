//go:build !linux

package local

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// openDirectory are the flags for opening a collection to list it.
const openDirectory = os.O_RDONLY | nonblock

// mount identifies a mounted filesystem by its device. If another filesystem that folds
// names differently is mounted on the same device while the process runs, foldings doesn't
// notice.
type mount struct{ device uint64 }

// direct returns false, because the answer is unknown.
func (f *FS) direct(string, bool) bool { return false }

// folds reports whether the collection local folds names. If local doesn't exist, it
// reports this for the closest collection above it. If it can't find out, it returns true.
func (f *FS) folds(local string) bool {
	if runtime.GOOS == "windows" {
		return true
	}
	info, err := f.root.Stat(local)
	for errors.Is(err, fs.ErrNotExist) && local != rootName && local != parent(local) {
		local = parent(local)
		info, err = f.root.Stat(local)
	}
	if err != nil {
		return true
	}
	device, ok := deviceOf(info)
	if !ok {
		folds, _ := f.probe(local)
		return folds
	}
	return f.foldings.folds(mount{device}, func() (bool, bool) { return f.probe(local) })
}
