//go:build !linux

package local

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"time"
)

// spot is where a file is to be.
type spot struct {
	// path is that of the file, free of symbolic links at its end.
	path string
	// old is what is there, a file; nil if nothing is.
	old fs.FileInfo
	// linked: a symbolic link at the end of the name has led to path.
	linked bool
}

// shortWay is Linux' alone.
type shortWay struct{}

func (shortWay) close() {}

func (shortWay) forget() {}

func (shortWay) usable(*FS) bool { return false }

// spot finds the file local, or where it would be.
func (f *FS) spot(local string) (*spot, error) {
	target, old, err := f.replaceable(local)
	if err != nil {
		return nil, err
	}
	return &spot{path: target, old: old, linked: target != local}, nil
}

// spotAtOnce can't be had here.
func (f *FS) spotAtOnce(string) (*spot, error) { return nil, nil } //nolint:nilnil // it is not known

func (s *spot) close() {}

// touch gives the collection, which has got a member, the modification time of
// now: the system's own may be coarse.
func (f *FS) touch(s *spot) { _ = f.root.Chtimes(parent(s.path), time.Time{}, time.Now()) }

// syncHolder writes the names in the collection through to the disk. Windows
// does not let a directory be written.
func (f *FS) syncHolder(s *spot) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := f.root.OpenFile(parent(s.path), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
