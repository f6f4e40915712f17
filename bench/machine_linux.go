package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// syncFilesystem writes all changes below dir to the disk.
func syncFilesystem(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.Syncfs(int(file.Fd()))
}

// filesystemOf returns the type of dir's filesystem.
func filesystemOf(dir string) string {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return "an unknown filesystem"
	}
	kinds := map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", unix.TMPFS_MAGIC: "tmpfs", unix.XFS_SUPER_MAGIC: "xfs", unix.BTRFS_SUPER_MAGIC: "btrfs", unix.OVERLAYFS_SUPER_MAGIC: "overlayfs"}
	kind := int64(s.Type) //nolint:unconvert // 32 bits on some systems
	if name, ok := kinds[kind]; ok {
		return name
	}
	return fmt.Sprintf("a filesystem of type %#x", kind)
}

// kernel returns the names and releases of the distribution and the kernel.
func kernel() string {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	text := "Linux " + string(bytes.TrimSpace(release))
	about, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(about)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			text = strings.Trim(name, `"`) + ", " + text
		}
	}
	return text
}

// load returns the load average of the last minute.
func load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	var last float64
	if _, err := fmt.Sscan(string(text), &last); err != nil {
		return 0
	}
	return last
}
