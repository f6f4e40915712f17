//go:build darwin || freebsd || netbsd || windows

package local

import (
	"errors"
	"io/fs"
	"time"
)

func (f *FS) birthTime(local string) (time.Time, error) {
	info, err := f.root.Stat(local)
	if err != nil {
		return time.Time{}, err
	}
	if special(info) {
		return time.Time{}, fs.ErrNotExist
	}
	// Filesystems without birth times return 0 or -1.
	if nanoseconds := bornAt(info.Sys()); nanoseconds > 0 {
		return time.Unix(0, nanoseconds), nil
	}
	return time.Time{}, errors.ErrUnsupported
}
