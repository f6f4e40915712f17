package local

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// copyBuffer is the size of the buffer for copying files that are small or that the kernel
// can't copy. It is large enough for any extended attribute and any list of attributes,
// which have at most 64 KiB.
const copyBuffer = 256 << 10 // bytes

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// target is the collection to copy files to. Only one goroutine may use it.
type target struct {
	place
	dev   uint64
	wrote func(n int64)
	buf   *[copyBuffer]byte
	mask  mask
	attrs attributes
	// inherits says that the collection has a default ACL.
	inherits bool
}

func (f *FS) openTarget(name string, wrote func(n int64)) (*target, error) {
	p, err := f.openPlace(name)
	if err != nil {
		return nil, err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(int(p.dir.Fd()), &stat); err != nil {
		p.close()
		return nil, err
	}
	if wrote == nil {
		wrote = func(int64) {}
	}
	buf, _ := copyBuffers.Get().(*[copyBuffer]byte)
	t := &target{place: p, dev: stat.Dev, wrote: wrote, buf: buf}
	t.inherits = f.owned != nil && givesACL(int(p.dir.Fd()))
	return t, nil
}

func (t *target) close() {
	if t != nil {
		t.place.close()
		copyBuffers.Put(t.buf)
	}
}

// copy creates name as a copy of o, with the permission bits perm and the ACL and the
// modification time of o. After an error, name doesn't exist.
func (t *target) copy(ctx context.Context, o *original, name string, perm fs.FileMode) error {
	attrs, hasACL, err := t.attrs.list(o, t.buf[:])
	if err != nil {
		return err
	}
	perm = t.fsys.owned.perm(perm)
	asked := perm
	if len(attrs) > 0 {
		asked |= 0o200 // Setting attributes requires write permission.
	}
	if hasACL {
		asked &= private // With an ACL, perm doesn't tell what the group may do.
	}
	dir := int(t.dir.Fd())
	fd, err := retry(func() (int, error) {
		return unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, uint32(asked))
	})
	if err != nil {
		return err
	}
	err = t.fill(ctx, o, fd)
	if err == nil {
		err = t.attrs.copy(o, fd, attrs, t.buf[:])
	}
	if err == nil && hasACL {
		err = copyACL(o, fd, perm, t.buf[:])
	} else if err == nil {
		err = t.mask.chmod(fd, asked, perm)
	}
	if err == nil {
		err = t.fsys.owned.give(fd, perm, hasACL || t.inherits)
	}
	if err == nil {
		err = setModified(fd, o.stat.Mtim)
	}
	// Some filesystems report only now that the disk is full. The descriptor is
	// closed even if a signal interrupts the call.
	if closeErr := unix.Close(fd); err == nil && !errors.Is(closeErr, unix.EINTR) {
		err = closeErr
	}
	if err != nil {
		err = errors.Join(err, unix.Unlinkat(dir, name, 0))
	}
	return err
}

// mask records which permission bits new files of a collection get and which the umask, or
// a default ACL in its place, removes.
type mask struct{ known, kept fs.FileMode }

// chmod gives the new file fd, which was created with the bits asked, the permission bits
// perm. It makes no system call if the file is known to have them.
func (m *mask) chmod(fd int, asked, perm fs.FileMode) error {
	if asked&^m.known != 0 {
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err != nil {
			return err
		}
		m.known |= asked
		m.kept |= asked & fs.FileMode(stat.Mode)
	}
	if asked == perm && asked&^m.kept == 0 {
		return nil
	}
	return unlessNotKept(unix.Fchmod(fd, uint32(perm)))
}

// setModified sets the modification time of fd and leaves its access time unchanged.
func setModified(fd int, modified unix.Timespec) error {
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, modified}
	// Package unix offers utimensat(2) only for paths.
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0) //nolint:gosec // as unsafe's rule 4 has it
	if errno != 0 {
		return unlessNotKept(errno)
	}
	return nil
}

// unlessNotKept returns err, but nil if err says that the filesystem can't store the
// value, as FAT can't store permissions, or that this process may not set it.
func unlessNotKept(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
