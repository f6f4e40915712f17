package tree_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage/tree"
)

// BenchmarkWalkFloor compares a walk with getdents and statx in one thread, and
// says what it allocates for each member.
func BenchmarkWalkFloor(b *testing.B) {
	fsys, dir := benchTree(b, 0)
	info, err := fsys.Stat(b.Context(), "/src")
	noError(b, err)
	walk := func() {
		w := &tree.Walk{FS: fsys, Root: "/src", Info: info, Depth: tree.Infinite}
		w.Prepare = func(context.Context, []tree.Member) func() error { return nil }
		noError(b, w.Run(b.Context()))
	}
	nothing := func() {}
	compare(
		b,
		contender{"bare", nothing, func() { bareWalk(b, filepath.Join(dir, "src")) }},
		contender{"walk", nothing, walk},
	)
	b.ReportMetric(testing.AllocsPerRun(1, walk)/benchMembers, "allocs/member")
}

func bareWalk(b *testing.B, dir string) {
	b.Helper()
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	noError(b, err)
	bareBelow(b, fd)
}

func bareBelow(b *testing.B, fd int) {
	b.Helper()
	defer unix.Close(fd)
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		noError(b, err)
		if n == 0 {
			return
		}
		for at := 0; at < n; {
			entry := buf[at:n]
			at += int(binary.NativeEndian.Uint16(entry[16:18]))
			name, _, _ := bytes.Cut(entry[19:], []byte{0})
			if string(name) == "." || string(name) == ".." {
				continue
			}
			var stat unix.Statx_t
			noError(b, unix.Statx(fd, string(name), unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &stat))
			if entry[18] == unix.DT_DIR {
				below, err := unix.Openat(fd, string(name), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
				noError(b, err)
				bareBelow(b, below)
			}
		}
	}
}
