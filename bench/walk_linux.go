package main

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// walk calls getdents and statx on a tree and counts its members. That is the lowest possible
// cost of a listing in one thread.
func walk(dir string) (int, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	n, err := walkBelow(fd)
	return n + 1, err
}

func walkBelow(fd int) (int, error) {
	defer unix.Close(fd)
	buf := make([]byte, 64<<10)
	members := 0
	for {
		n, err := unix.Getdents(fd, buf)
		if err != nil || n == 0 {
			return members, err
		}
		for at := 0; at < n; {
			entry := buf[at:n]
			at += int(binary.NativeEndian.Uint16(entry[16:18]))
			name, _, _ := bytes.Cut(entry[19:], []byte{0})
			below, err := walkEntry(fd, string(name), entry[18] == unix.DT_DIR)
			if err != nil {
				return members, err
			}
			members += below
		}
	}
}

// walkEntry counts a member of the directory fd and everything below it.
func walkEntry(fd int, name string, isDir bool) (int, error) {
	if name == "." || name == ".." {
		return 0, nil
	}
	var s unix.Statx_t
	if err := unix.Statx(fd, name, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &s); err != nil {
		return 0, err
	}
	if !isDir {
		return 1, nil
	}
	below, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 1, err
	}
	n, err := walkBelow(below)
	return n + 1, err
}
