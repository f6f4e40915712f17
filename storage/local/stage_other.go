//go:build !linux

package local

import (
	"io/fs"
	"os"
)

// way is needed only on Linux.
type way struct{}

func defaultWays() []way { return nil }

// newStage returns a stage for s. local is the name for the description of the new file.
func (f *FS) newStage(s *spot, local string, perm fs.FileMode) (stage, error) {
	if err := f.mayReplace(s); err != nil {
		return nil, err
	}
	return f.newNamed(s, local, perm)
}

// mayReplace returns an error if the spot has a file that can't be opened for writing.
func (f *FS) mayReplace(s *spot) error {
	if s.old == nil {
		return nil
	}
	file, _, err := f.open(s.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return file.Close()
}

// syncContent flushes the content of file to the disk.
func syncContent(file *os.File) error { return file.Sync() }
