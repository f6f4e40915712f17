//go:build !linux

package local

import (
	"io/fs"
	"os"
)

// way is Linux' alone.
type way struct{}

func defaultWays() []way { return nil }

// newStage returns a stage for target, which replaces a file that is there or
// not. local is the name that Stat will give.
func (f *FS) newStage(target, local string, perm fs.FileMode, replaces bool) (stage, error) {
	if replaces {
		// What can't be opened to write can't be replaced.
		file, err := f.open(target, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		_ = file.Close()
	}
	return f.newNamed(target, local, perm)
}
