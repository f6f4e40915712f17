package local

import (
	"io/fs"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

// byAccess calls Stat or Lstat of the access. Sys of its result is a storage.Facts.
func (f *FS) byAccess(stat func(local string) (fs.FileInfo, error), local string) (fs.FileInfo, error) {
	described, err := stat(local)
	if err != nil {
		return nil, err
	}
	return &lateBorn{FileInfo: described, fsys: f, local: local}, nil
}

// lateBorn is a description from package os, which lacks the birth time. It looks for
// that only when it is asked.
type lateBorn struct {
	fs.FileInfo
	fsys  *FS
	local string
}

var _ storage.Facts = (*lateBorn)(nil)

// Sys returns l.
func (l *lateBorn) Sys() any { return l }

// Identity implements storage.Facts.
func (l *lateBorn) Identity() (device, inode uint64) {
	stat := l.stat()
	return uint64(stat.Dev), stat.Ino //nolint:unconvert // the types differ from one processor to the next
}

// Changed implements storage.Facts.
func (l *lateBorn) Changed() int64 {
	stat := l.stat()
	return stat.Ctim.Nano()
}

func (l *lateBorn) stat() *syscall.Stat_t {
	stat, _ := l.FileInfo.Sys().(*syscall.Stat_t) // On Linux, it is nothing else.
	return stat
}

// BirthTime implements storage.Facts.
func (l *lateBorn) BirthTime() time.Time {
	stat, err := l.fsys.statx(l.local)
	if err == nil && stat.Mode&unix.S_IFMT == unix.S_IFLNK && l.Mode()&fs.ModeSymlink == 0 {
		local, info, targetErr := l.fsys.target(l.local)
		if targetErr != nil || info == nil {
			return time.Time{}
		}
		stat, err = l.fsys.statx(local)
	}
	if err != nil || stat.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}
	}
	return time.Unix(stat.Btime.Sec, int64(stat.Btime.Nsec))
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
	return stat, unix.Statx(int(dir.Fd()), base, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_TYPE|unix.STATX_BTIME, stat)
}
