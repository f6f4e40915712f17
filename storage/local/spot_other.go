//go:build !linux

package local

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"time"
)

// spot is the place of a file to create or replace.
type spot struct {
	// path is the path of the file. Its last segment is not a symbolic link.
	path string
	// old is the existing file, or nil if none exists.
	old fs.FileInfo
	// linked is set if a symbolic link at the end of the name has led to path.
	linked bool
}

// spot returns the spot of the file local, whether the file exists or not.
func (f *FS) spot(local string) (*spot, error) {
	target, old, err := f.replaceable(local)
	if err != nil {
		return nil, err
	}
	return &spot{path: target, old: old, linked: target != local}, nil
}

func (s *spot) close() {}

// touch sets the modification time of the collection to the current time, after it got a new
// member. The time that the system sets may be coarse.
func (f *FS) touch(s *spot) { _ = f.root.Chtimes(parent(s.path), time.Time{}, time.Now()) }

// syncHolder flushes the names in the collection to the disk. Windows can't flush a
// directory.
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
