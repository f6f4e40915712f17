package local

import (
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

// info describes a file or collection. It is its own storage.Facts.
type info struct {
	name           string
	size           int64
	inode, device  uint64
	changed        int64 // nanoseconds since 1970
	modified, born stamp
	mode           fs.FileMode
	direct         bool
}

var (
	_ fs.FileInfo   = (*info)(nil)
	_ storage.Facts = (*info)(nil)
)

// stamp is a point in time. If nsec is unknownTime, the time is unknown.
type stamp struct {
	sec  int64 // since 1970
	nsec uint32
}

const unknownTime = 1e9

func stampOf(t unix.StatxTimestamp) stamp { return stamp{t.Sec, t.Nsec} }

func (i *info) fill(name string, stat *unix.Statx_t) {
	*i = info{
		name: name, size: int64(stat.Size), inode: stat.Ino, device: unix.Mkdev(stat.Dev_major, stat.Dev_minor), //nolint:gosec // no file is so large
		changed:  stat.Ctime.Sec*1e9 + int64(stat.Ctime.Nsec),
		modified: stampOf(stat.Mtime), born: stampOf(stat.Btime), mode: fileMode(uint32(stat.Mode)),
	}
	if stat.Mask&unix.STATX_BTIME == 0 {
		i.born.nsec = unknownTime
	}
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.size }
func (i *info) Mode() fs.FileMode  { return i.mode }
func (i *info) ModTime() time.Time { return time.Unix(i.modified.sec, int64(i.modified.nsec)) }
func (i *info) IsDir() bool        { return i.mode.IsDir() }
func (i *info) Sys() any           { return i }

// Identity implements storage.Facts.
func (i *info) Identity() (device, inode uint64) { return i.device, i.inode }

// Direct reports what the function storage.Direct returns.
func (i *info) Direct() bool { return i.direct }

// Changed implements storage.Facts.
func (i *info) Changed() int64 { return i.changed }

// BirthTime implements storage.Facts.
func (i *info) BirthTime() time.Time {
	if i.born.nsec == unknownTime {
		return time.Time{}
	}
	return time.Unix(i.born.sec, int64(i.born.nsec))
}

// fileMode converts mode as package os does.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	if kind := mode & unix.S_IFMT; kind != unix.S_IFREG {
		of, known := fileTypes[kind]
		if !known {
			of = fs.ModeIrregular
		}
		m |= of
	}
	if mode&unix.S_ISUID != 0 {
		m |= fs.ModeSetuid
	}
	if mode&unix.S_ISGID != 0 {
		m |= fs.ModeSetgid
	}
	if mode&unix.S_ISVTX != 0 {
		m |= fs.ModeSticky
	}
	return m
}
