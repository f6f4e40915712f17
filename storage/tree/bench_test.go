package tree_test

import (
	"context"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// benchMembers is the size of the trees that benchmarks work on: collections
// of a hundred files each.
const benchMembers = 10_000

func benchTree(b *testing.B) storage.FS {
	b.Helper()
	fsys, _ := newLocal(b)
	for c := range benchMembers / 100 {
		build(b, fsys, many(fmt.Sprintf("/src/%03d", c), 99))
	}
	return fsys
}

// monitored runs bench without and with a Monitor.
func monitored(b *testing.B, bench func(b *testing.B, monitor func() *tree.Monitor)) {
	b.Run("monitor: nil", func(b *testing.B) { bench(b, func() *tree.Monitor { return nil }) })
	b.Run("monitor: on", func(b *testing.B) { bench(b, func() *tree.Monitor { return tree.NewMonitor(true) }) })
}

func visitNothing(string, fs.FileInfo, error) error { return nil }

func BenchmarkWalk(b *testing.B) {
	fsys := benchTree(b)
	monitored(b, func(b *testing.B, monitor func() *tree.Monitor) {
		b.ReportAllocs()
		for b.Loop() {
			noError(b, tree.Walk(context.Background(), fsys, "/src", tree.Infinite, monitor(), visitNothing))
		}
		perMember(b)
	})
}

func BenchmarkCopy(b *testing.B) {
	fsys := benchTree(b)
	monitored(b, func(b *testing.B, monitor func() *tree.Monitor) {
		b.ReportAllocs()
		for b.Loop() {
			noError(b, tree.Copy(context.Background(), fsys, "/src", "/dst", tree.Infinite, monitor()))
			b.StopTimer()
			noError(b, fsys.RemoveAll(context.Background(), "/dst"))
			b.StartTimer()
		}
		perMember(b)
	})
}

func BenchmarkRemove(b *testing.B) {
	fsys := benchTree(b)
	monitored(b, func(b *testing.B, monitor func() *tree.Monitor) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			noError(b, tree.Copy(context.Background(), fsys, "/src", "/dst", tree.Infinite, nil))
			b.StartTimer()
			noError(b, tree.Remove(context.Background(), fsys, "/dst", monitor()))
		}
		perMember(b)
	})
}

func perMember(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchMembers, "ns/member")
}

// BenchmarkMonitorCost runs a walk, the operation that does the least for each
// member, without and with a Monitor in turn, so that a disturbance of the
// machine meets both.
func BenchmarkMonitorCost(b *testing.B) {
	fsys := benchTree(b)
	timed := func(mon *tree.Monitor) time.Duration {
		start := time.Now()
		noError(b, tree.Walk(context.Background(), fsys, "/src", tree.Infinite, mon, visitNothing))
		return time.Since(start)
	}
	var off, on time.Duration
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 {
			off += timed(nil)
			on += timed(tree.NewMonitor(true))
		} else {
			on += timed(tree.NewMonitor(true))
			off += timed(nil)
		}
	}
	b.ReportMetric(float64(on)/float64(off), "on/off")
}
