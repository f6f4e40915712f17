//go:build !linux

package local

import (
	"io/fs"
	"os"
	"time"
)

// shortWay is available only on Linux.
type shortWay struct{}

func (shortWay) init(access) {}

func (shortWay) close() {}

func (shortWay) forget() {}

func (shortWay) unanchor() {}

func (shortWay) usable() bool { return false }

// The functions whose names end in AtOnce return nil, because here only the policy's access
// can reach files.

func (f *FS) statAtOnce(string) (fs.FileInfo, error) { return nil, nil }

func (f *FS) openAtOnce(string) (file *os.File, linked bool) { return nil, true }

func (f *FS) spotAtOnce(string) (*spot, error) { return nil, nil } //nolint:nilnil // it is not known

// byAccess calls Stat or Lstat of the access.
func (f *FS) byAccess(stat func(local string) (fs.FileInfo, error), local string) (fs.FileInfo, error) {
	return stat(local)
}

func (f *FS) lstat(local string) (fs.FileInfo, error) { return f.root.Lstat(local) }

// makeDir creates the collection local as the process would.
func (f *FS) makeDir(local string, perm fs.FileMode) error { return f.root.Mkdir(local, perm) }

// chtimes does the same as setTimes.
func (f *FS) chtimes(local string, modified time.Time) error {
	return setTimes(f.root, local, modified)
}

// openMembers opens the collection local so that its members can be removed.
func (f *FS) openMembers(local string) (memberRemover, error) { return f.openRoot(local) }
