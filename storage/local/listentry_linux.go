package local

import (
	"bytes"
	"encoding/binary"
	"iter"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// terminated is the name of a directory's entry and the NUL after it, which the
// kernel wants.
type terminated string

func (t terminated) name() string { return string(t[:len(t)-1]) }

// Where the fields of a linux_dirent64 are (getdents64(2)), in bytes.
const (
	direntLength = 16 // of the whole: two bytes
	direntName   = 19 // and what is left to the end, a NUL in it
)

// dirents yields the names in what getdents64 has returned, each with its NUL,
// without "." and "..".
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

// entries returns the names in what getdents64 has returned. They share one
// string: what is kept of a large collection is to be small.
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

// statx fills in what the kernel says of the entry name of the directory fd.
// Automounts are not triggered, as by lstat.
func statx(fd int, name terminated, stat *unix.Statx_t) unix.Errno {
	const flags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT
	for {
		//nolint:gosec // as unsafe's rule 4 has it; unix.Statx would copy the name
		_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(fd), uintptr(unsafe.Pointer(unsafe.StringData(string(name)))),
			flags, unix.STATX_BASIC_STATS|unix.STATX_BTIME, uintptr(unsafe.Pointer(stat)), 0)
		switch errno {
		case unix.EINTR:
		case unix.ENOSYS, unix.EPERM: // the kernel, or a sandbox, does not know it
			return fstatat(fd, name.name(), stat)
		default:
			return errno
		}
	}
}

// fstatat is statx where there is none, and so without the birth time.
func fstatat(fd int, name string, stat *unix.Statx_t) unix.Errno {
	var old unix.Stat_t
	if err := unix.Fstatat(fd, name, &old, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		errno, _ := err.(unix.Errno) //nolint:errorlint // it is nothing else
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
