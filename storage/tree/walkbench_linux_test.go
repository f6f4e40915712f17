package tree_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// BenchmarkWalkFloor compares a walk with getdents and statx in one thread, and reports
// what it allocates for each member.
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
		contender{"bare", nothing, func() {
			_, err := storagetest.BareWalk(filepath.Join(dir, "src"))
			noError(b, err)
		}},
		contender{"walk", nothing, walk},
	)
	b.ReportMetric(testing.AllocsPerRun(1, walk)/benchMembers, "allocs/member")
}
