//go:build !linux

package local

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// openDirectory are the flags with which a collection is opened to be listed.
const openDirectory = os.O_RDONLY | nonblock

// mount identifies a mounted file system. A device that is mounted again while the
// process runs, with another way to fold names, is taken for the same.
type mount struct{ device uint64 }

// plainRoot is Linux' alone.
type plainRoot struct{}

// direct reports that it is not known.
func (f *FS) direct(string, bool) bool { return false }

// folds reports whether the collection local, or the one that would hold it if it
// doesn't exist, folds names. If that can't be found out, it does.
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
