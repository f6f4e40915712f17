package local_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// BenchmarkList compares four ways to list ten thousand files: getdents and statx alone, which is the
// minimum; List without descriptions; List with descriptions; and the fallback for a storage without
// List. Each iteration runs all of them in turn.
func BenchmarkList(b *testing.B) {
	const members = 10_000
	dir := b.TempDir()
	for i := range members {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.jpg", i)), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	fsys, err := local.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer fsys.Close()
	ways := []struct {
		name string
		list func() (int, error)
	}{
		{"bare", func() (int, error) { return bareList(dir) }},
		{"found", func() (int, error) { return list(b, fsys, false) }},
		{"described", func() (int, error) { return list(b, fsys, true) }},
		{"readdir", func() (int, error) { return readdir(b, struct{ storage.FS }{fsys}) }},
	}
	times := make([][]time.Duration, len(ways))
	for i := 0; b.Loop(); i++ {
		for j := range ways {
			j = (i + j) % len(ways)
			start := time.Now()
			n, err := ways[j].list()
			times[j] = append(times[j], time.Since(start))
			if err != nil || n != members {
				b.Fatalf("%s: %d members, %v", ways[j].name, n, err)
			}
		}
	}
	for j, way := range ways {
		slices.Sort(times[j])
		b.ReportMetric(float64(times[j][len(times[j])/2].Nanoseconds())/members, way.name+"-ns/member")
		allocs := testing.AllocsPerRun(1, func() { _, _ = way.list() })
		b.ReportMetric(allocs/members, way.name+"-allocs/member")
	}
}

func list(b *testing.B, fsys storage.FS, describe bool) (found int, err error) {
	b.Helper()
	listing, err := storage.List(b.Context(), fsys, "/")
	if err != nil {
		return 0, err
	}
	defer listing.Close()
	var entries []storage.Entry
	for err == nil {
		var members storage.Members
		members, err = listing.Next(b.Context())
		for from := 0; from < members.Len(); from += 256 {
			to := min(from+256, members.Len())
			if describe {
				entries = members.Describe(b.Context(), from, to, entries[:0])
			}
			found += to - from
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return found, err
}

func readdir(b *testing.B, fsys storage.FS) (found int, err error) {
	b.Helper()
	for _, err := range storage.ReadDir(b.Context(), fsys, "/") {
		if err != nil {
			return found, err
		}
		found++
	}
	return found, nil
}

// bareList does what a C program would do.
func bareList(dir string) (found int, err error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	buf := make([]byte, 64<<10)
	var names []string
	for {
		n, err := unix.Getdents(fd, buf)
		if err != nil || n == 0 {
			return found, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names[:0])
		for _, name := range names {
			var stat unix.Statx_t
			if err := unix.Statx(fd, name, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &stat); err != nil {
				return found, err
			}
			found++
		}
	}
}
