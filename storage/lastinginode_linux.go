package storage

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// userSpace knows which devices belong to filesystems in user space.
var userSpace = mountTable{descriptor: -1}

// mountTable remembers what it has found in the table of mounts until that changes: a
// device may be unmounted, and mounted again with another filesystem.
type mountTable struct {
	mu sync.Mutex
	// descriptor is that of /proc/self/mountinfo, which poll(2) says changes of; -1
	// while it is not open.
	descriptor int
	known      map[uint64]bool
}

// inUserSpace reports whether device belongs to a filesystem in user space. One that
// is not in the table of mounts, as a subvolume of btrfs, does not.
func inUserSpace(device uint64) bool { return userSpace.has(device) }

func (m *mountTable) has(device uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.currentLocked() {
		return false
	}
	is, ok := m.known[device]
	if !ok {
		mounts, err := os.ReadFile(mountinfo)
		if err != nil {
			return false
		}
		is = mountedInUserSpace(string(mounts), device)
		m.known[device] = is
	}
	return is
}

const mountinfo = "/proc/self/mountinfo"

// currentLocked forgets all if the table has changed since the last call. It reports
// whether there is a table.
func (m *mountTable) currentLocked() bool {
	if m.descriptor < 0 {
		// Not os.Open: the runtime would take note of the changes itself.
		fd, err := unix.Open(mountinfo, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return false
		}
		m.descriptor, m.known = fd, map[uint64]bool{}
	}
	poll := []unix.PollFd{{Fd: int32(m.descriptor), Events: unix.POLLPRI}} //nolint:gosec // descriptors are small
	if n, err := unix.Poll(poll, 0); err != nil || n > 0 && poll[0].Revents&(unix.POLLPRI|unix.POLLERR) != 0 {
		clear(m.known)
	}
	return true
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
