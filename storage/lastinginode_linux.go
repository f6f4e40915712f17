package storage

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// kinds tells the kind of the filesystem of a device.
var kinds = mountTable{descriptor: -1}

// mountTable caches answers from the table of mounts until the table changes. A change
// matters because a device number may be reused for another filesystem.
type mountTable struct {
	mu sync.Mutex
	// descriptor is an open /proc/self/mountinfo, whose changes poll(2) reports, or
	// -1 while it is not open.
	descriptor int
	known      map[uint64]string
}

// kindOf returns the kind of the filesystem of device, such as ext4. It returns "" for a device
// that is missing from the table of mounts, such as a btrfs subvolume.
func kindOf(device uint64) string { return kinds.of(device) }

func (m *mountTable) of(device uint64) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.currentLocked() {
		return ""
	}
	kind, ok := m.known[device]
	if !ok {
		mounts, err := os.ReadFile(mountinfo)
		if err != nil {
			return ""
		}
		kind = kindIn(string(mounts), device)
		m.known[device] = kind
	}
	return kind
}

const mountinfo = "/proc/self/mountinfo"

// currentLocked clears the cache if the table has changed since the last call. It reports
// whether the table can be read.
func (m *mountTable) currentLocked() bool {
	if m.descriptor < 0 {
		// os.Open would make the runtime's poller consume the change events.
		fd, err := unix.Open(mountinfo, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return false
		}
		m.descriptor, m.known = fd, map[uint64]string{}
	}
	poll := []unix.PollFd{{Fd: int32(m.descriptor), Events: unix.POLLPRI}} //nolint:gosec // descriptors are small
	if n, err := unix.Poll(poll, 0); err != nil || n > 0 && poll[0].Revents&(unix.POLLPRI|unix.POLLERR) != 0 {
		clear(m.known)
	}
	return true
}

// kindIn looks device up in mounts, which has the form of /proc/self/mountinfo
// (proc_pid_mountinfo(5)).
func kindIn(mounts string, device uint64) string {
	number := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	for line := range strings.Lines(mounts) {
		mount, kind, _ := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if len(fields) > 2 && fields[2] == number {
			kind, _, _ = strings.Cut(kind, " ")
			return kind
		}
	}
	return ""
}
