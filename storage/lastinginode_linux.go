package storage

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// userSpace has for each device that was asked for whether its filesystem is in user
// space. Mounts are looked through once for each.
var userSpace sync.Map // of bool by uint64

// inUserSpace reports whether device belongs to a filesystem in user space. One that
// is not in the table of mounts, as a subvolume of btrfs, does not.
func inUserSpace(device uint64) bool {
	if known, ok := userSpace.Load(device); ok {
		return known == true
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	is := mountedInUserSpace(string(mounts), device)
	userSpace.Store(device, is)
	return is
}

// mountedInUserSpace looks device up in mounts, which has the form of
// /proc/self/mountinfo (proc_pid_mountinfo(5)).
func mountedInUserSpace(mounts string, device uint64) bool {
	number := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	for line := range strings.Lines(mounts) {
		mount, kind, _ := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if len(fields) > 2 && fields[2] == number {
			kind, _, _ = strings.Cut(kind, " ")
			return kind == "fuseblk" || kind == "fuse" || strings.HasPrefix(kind, "fuse.")
		}
	}
	return false
}
