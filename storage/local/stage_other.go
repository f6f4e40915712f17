//go:build !linux

package local

import (
	"io/fs"
	"os"
)

// way is Linux' alone.
type way struct{}

func defaultWays() []way { return nil }

// newStage returns a stage for s. local is the name that Stat will give.
func (f *FS) newStage(s *spot, local string, perm fs.FileMode) (stage, error) {
	if s.old != nil {
		// What can't be opened to write can't be replaced.
		file, _, err := f.open(s.path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		_ = file.Close()
	}
	return f.newNamed(s, local, perm)
}

// syncContent writes what is in file through to the disk.
func syncContent(file *os.File) error { return file.Sync() }
