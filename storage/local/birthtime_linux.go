package local

import (
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

func (f *FS) birthTime(local string) (time.Time, error) {
	stat, err := f.statx(local)
	if err == nil && stat.Mode&unix.S_IFMT == unix.S_IFLNK {
		var info fs.FileInfo
		if local, info, err = f.target(local); err == nil && info == nil {
			err = fs.ErrNotExist
		}
		if err == nil {
			stat, err = f.statx(local)
		}
	}
	if err != nil {
		return time.Time{}, err
	}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFDIR:
	default:
		return time.Time{}, fs.ErrNotExist
	}
	if stat.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}, errors.ErrUnsupported
	}
	return time.Unix(stat.Btime.Sec, int64(stat.Btime.Nsec)), nil
}

// statx requests only the type and the birth time of local. It doesn't follow a link.
func (f *FS) statx(local string) (*unix.Statx_t, error) {
	dir, err := f.openParent(local)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	_, base := splitLast(local)
	stat := new(unix.Statx_t)
	err = unix.Statx(int(dir.Fd()), base, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_TYPE|unix.STATX_BTIME, stat)
	if errors.Is(err, unix.ENOSYS) {
		err = errors.ErrUnsupported
	}
	return stat, err
}
