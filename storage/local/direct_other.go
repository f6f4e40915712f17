//go:build !linux

package local

import (
	"io/fs"
	"time"
)

func (f *FS) lstat(local string) (fs.FileInfo, error) { return f.root.Lstat(local) }

func (f *FS) mkdir(local string, perm fs.FileMode) error { return f.root.Mkdir(local, perm) }

// chtimes does the same as setTimes.
func (f *FS) chtimes(local string, modified time.Time) error {
	return setTimes(f.root, local, modified)
}

// openMembers opens the collection local so that its members can be removed.
func (f *FS) openMembers(local string) (memberRemover, error) { return f.openRoot(local) }
