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

// spot is the place of a file to create or replace.
type spot struct {
	// path is the path of the file. Its last segment is not a symbolic link.
	path string
	// old is the existing file, or nil if none exists.
	old fs.FileInfo
	// linked is set if a symbolic link at the end of the name has led to path.
	linked bool
	// holder is a descriptor of the collection that contains path. base is the last
	// segment of path.
	holder int
	base   string
}

// spot returns the spot of the file local, whether the file exists or not.
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

// spotAtOnce is spot with one system call for the way and one for its end. It works only if
// no symbolic link is involved; then the result doesn't depend on the policy. Otherwise it
// returns nil.
func (f *FS) spotAtOnce(local string) (*spot, error) {
	if local == rootName {
		return nil, syscall.EISDIR
	}
	dir, base := splitLast(local)
	holder, ok := f.short.open(dir, unix.O_PATH)
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
		err = nil // The access will find the reason.
	}
	s.close()
	return nil, err
}

// close closes the holder.
func (s *spot) close() { _ = unix.Close(s.holder) }

// touch sets the modification time of the holder to the current time, after it got a new
// member. The time that the kernel sets is only as precise as its clock tick.
func (f *FS) touch(s *spot) {
	now, err := unix.TimeToTimespec(time.Now())
	if err == nil {
		_ = unix.UtimesNanoAt(s.holder, ".", []unix.Timespec{{Nsec: unix.UTIME_OMIT}, now}, 0)
	}
}

// syncHolder flushes the names in the holder to the disk. It opens the holder again, because
// an O_PATH descriptor can't be flushed.
func (f *FS) syncHolder(s *spot) error {
	_, err := withReadable(s.holder, func(readable int) (int, error) {
		return retry(func() (int, error) { return 0, unix.Fsync(readable) })
	})
	if errors.Is(err, unix.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // This filesystem can't flush a directory.
	}
	return err
}

// described is an fs.FileInfo made from a stat.
type described struct {
	name string
	stat unix.Stat_t
}

func (d *described) Name() string       { return d.name }
func (d *described) Size() int64        { return d.stat.Size }
func (d *described) Mode() fs.FileMode  { return fileMode(d.stat.Mode) }
func (d *described) IsDir() bool        { return d.Mode().IsDir() }
func (d *described) ModTime() time.Time { return time.Unix(d.stat.Mtim.Unix()) }

// Sys returns the same type as package os does: unix.Stat_t has the same layout.
func (d *described) Sys() any { return (*syscall.Stat_t)(unsafe.Pointer(&d.stat)) } //nolint:gosec // both are the kernel's

// This compiles only if both types have the same size.
var _ [unsafe.Sizeof(unix.Stat_t{})]byte = [unsafe.Sizeof(syscall.Stat_t{})]byte{}

var fileTypes = map[uint32]fs.FileMode{
	unix.S_IFDIR: fs.ModeDir, unix.S_IFLNK: fs.ModeSymlink, unix.S_IFIFO: fs.ModeNamedPipe,
	unix.S_IFSOCK: fs.ModeSocket, unix.S_IFBLK: fs.ModeDevice, unix.S_IFCHR: fs.ModeDevice | fs.ModeCharDevice,
}
