//go:build !linux && !darwin && !freebsd && !netbsd && !windows

package local

import (
	"errors"
	"time"
)

// birthTime returns errors.ErrUnsupported, because this system has no call for it.
func (f *FS) birthTime(local string) (time.Time, error) {
	if _, err := f.root.Stat(local); err != nil {
		return time.Time{}, err
	}
	return time.Time{}, errors.ErrUnsupported
}
