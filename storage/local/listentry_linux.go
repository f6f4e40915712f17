package local

import (
	"bytes"
	"encoding/binary"
	"iter"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// terminated is the name of a directory entry including a final NUL, as the kernel
// requires it.
type terminated string

func (t terminated) name() string { return string(t[:len(t)-1]) }

// These are the offsets of the fields in a linux_dirent64 (getdents64(2)), in bytes.
const (
	direntLength = 16 // the length of the entry: two bytes
	direntName   = 19 // the name, with a NUL, up to the end of the entry
)

// dirents yields the names in buf, which getdents64 has filled, each with its NUL. It
// omits "." and "..".
func dirents(buf []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(buf) > direntName {
			length := int(binary.NativeEndian.Uint16(buf[direntLength:]))
			if length <= direntName || length > len(buf) {
				return
			}
			name := buf[direntName:length]
			name = name[:bytes.IndexByte(name, 0)+1]
			buf = buf[length:]
			if s := string(name); s != ".\x00" && s != "..\x00" && !yield(name) {
				return
			}
		}
	}
}

// entries returns the names in buf, which getdents64 has filled. The names share one
// string, which saves memory for large collections.
func entries(buf []byte) []terminated {
	count, size := 0, 0
	for name := range dirents(buf) {
		count++
		size += len(name)
	}
	var text strings.Builder
	text.Grow(size)
	names := make([]terminated, 0, count)
	for name := range dirents(buf) {
		start := text.Len()
		text.Write(name)
		names = append(names, terminated(text.String()[start:]))
	}
	return names
}

// statx describes the entry name of the directory fd. Like lstat, it doesn't trigger
// automounts.
func statx(fd int, name terminated, stat *unix.Statx_t) unix.Errno {
	const flags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT
	for {
		//nolint:gosec // as unsafe's rule 4 has it; unix.Statx would copy the name
		_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(fd), uintptr(unsafe.Pointer(unsafe.StringData(string(name)))),
			flags, unix.STATX_BASIC_STATS|unix.STATX_BTIME, uintptr(unsafe.Pointer(stat)), 0)
		switch errno {
		case unix.EINTR:
		case unix.ENOSYS, unix.EPERM: // The kernel lacks statx, or a sandbox blocks it.
			return fstatat(fd, name.name(), stat)
		default:
			return errno
		}
	}
}

// fstatat replaces statx on old kernels and in sandboxes. It lacks the birth time.
func fstatat(fd int, name string, stat *unix.Statx_t) unix.Errno {
	var old unix.Stat_t
	if err := unix.Fstatat(fd, name, &old, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		errno, _ := err.(unix.Errno) //nolint:errorlint // package unix returns only this type
		return errno
	}
	//nolint:gosec,unconvert // the types differ from one processor to the next
	*stat = unix.Statx_t{
		Mode: uint16(old.Mode), Size: uint64(old.Size), Ino: uint64(old.Ino),
		Dev_major: unix.Major(uint64(old.Dev)), Dev_minor: unix.Minor(uint64(old.Dev)),
		Mtime: unix.StatxTimestamp{Sec: int64(old.Mtim.Sec), Nsec: uint32(old.Mtim.Nsec)},
		Ctime: unix.StatxTimestamp{Sec: int64(old.Ctim.Sec), Nsec: uint32(old.Ctim.Nsec)},
	}
	return 0
}
