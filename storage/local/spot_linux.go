package local

import (
	"errors"
	"io/fs"
	"path"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// spot is where a file is to be.
type spot struct {
	// path is that of the file, free of symbolic links at its end.
	path string
	// old is what is there, a file; nil if nothing is.
	old fs.FileInfo
	// linked: a symbolic link at the end of the name has led to path.
	linked bool
	// holder is a descriptor of the collection that holds path, base its last
	// segment.
	holder int
	base   string
}

// spot finds the file local, or where it would be.
func (f *FS) spot(local string) (*spot, error) {
	if s, err := f.spotAtOnce(local); s != nil || err != nil {
		return s, err
	}
	target, old, err := f.replaceable(local)
	if err != nil {
		return nil, err
	}
	dir, err := f.openParent(target)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	holder, err := unix.FcntlInt(dir.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	_, base := splitLast(target)
	return &spot{path: target, old: old, linked: target != local, holder: holder, base: base}, nil
}

// spotAtOnce is spot with one call for the way and one for its end, which
// decides what any policy would: there is no symbolic link. It is nil where that
// can't be said.
func (f *FS) spotAtOnce(local string) (*spot, error) {
	if local == rootName {
		return nil, syscall.EISDIR
	}
	dir, base := splitLast(local)
	holder, ok := f.short.open(f, dir)
	if !ok {
		return nil, nil
	}
	s := &spot{path: local, holder: holder, base: base}
	stat := &described{name: path.Base(local)}
	_, err := retry(func() (int, error) {
		return 0, unix.Fstatat(holder, base, &stat.stat, unix.AT_SYMLINK_NOFOLLOW)
	})
	switch {
	case errors.Is(err, unix.ENOENT):
		return s, nil
	case err == nil && stat.Mode()&fs.ModeSymlink == 0:
		if err = fileOnly(stat); err == nil {
			s.old = stat
			return s, nil
		}
	default:
		err = nil // The long way will tell.
	}
	s.close()
	return nil, err
}

// close ends the use of the holder.
func (s *spot) close() { _ = unix.Close(s.holder) }

// touch gives the holder, which has got a member, the modification time of now:
// the kernel's own has the precision of its clock's tick.
func (f *FS) touch(s *spot) {
	now, err := unix.TimeToTimespec(time.Now())
	if err == nil {
		err = unix.UtimesNanoAt(s.holder, "", []unix.Timespec{{Nsec: unix.UTIME_OMIT}, now}, unix.AT_EMPTY_PATH)
	}
	if errors.Is(err, unix.EINVAL) { // a kernel before 5.8
		_ = f.root.Chtimes(parent(s.path), time.Time{}, time.Now())
	}
}

// syncHolder writes the names in the holder through to the disk. The holder
// itself is no more than a point to start from.
func (f *FS) syncHolder(s *spot) error {
	fd, err := retry(func() (int, error) {
		return unix.Openat(s.holder, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return err
	}
	_, err = retry(func() (int, error) { return 0, unix.Fsync(fd) })
	_ = unix.Close(fd) // It was only read.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // This filesystem has nothing to write.
	}
	return err
}

// described is the fs.FileInfo of a stat.
type described struct {
	name string
	stat unix.Stat_t
}

func (d *described) Name() string       { return d.name }
func (d *described) Size() int64        { return d.stat.Size }
func (d *described) Mode() fs.FileMode  { return fileMode(d.stat.Mode) }
func (d *described) IsDir() bool        { return d.Mode().IsDir() }
func (d *described) ModTime() time.Time { return time.Unix(d.stat.Mtim.Unix()) }

// Sys returns what package os would: unix.Stat_t has the same layout.
func (d *described) Sys() any { return (*syscall.Stat_t)(unsafe.Pointer(&d.stat)) } //nolint:gosec // both are the kernel's

// Both have the same size, or this is no array.
var _ [unsafe.Sizeof(unix.Stat_t{})]byte = [unsafe.Sizeof(syscall.Stat_t{})]byte{}

var fileTypes = map[uint32]fs.FileMode{
	unix.S_IFDIR: fs.ModeDir, unix.S_IFLNK: fs.ModeSymlink, unix.S_IFIFO: fs.ModeNamedPipe,
	unix.S_IFSOCK: fs.ModeSocket, unix.S_IFBLK: fs.ModeDevice, unix.S_IFCHR: fs.ModeDevice | fs.ModeCharDevice,
}
