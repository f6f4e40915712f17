package tree_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/tree"
)

// benchDir is where benchmarks build their trees. They measure the filesystem it is on.
var benchDir = flag.String("dir", "", "directory on the filesystem to measure (default: that of temporary files)")

// The size of the tree for the benchmarks.
const (
	benchCollections = 100
	benchFiles       = 100 // in each
	benchFileSize    = 16 << 10
	benchMembers     = benchCollections * benchFiles
)

// benchTree returns a share that holds the tree as /src, and the directory of the
// share.
func benchTree(b *testing.B, fileSize int) (storage.FS, string) {
	b.Helper()
	dir, err := os.MkdirTemp(*benchDir, "bench") //nolint:usetesting // the flag chooses the filesystem
	noError(b, err)
	b.Cleanup(func() { noError(b, os.RemoveAll(dir)) })
	content := bytes.Repeat([]byte{'x'}, fileSize)
	for c := range benchCollections {
		collection := filepath.Join(dir, "src", fmt.Sprintf("%03d", c))
		noError(b, os.MkdirAll(collection, 0o755))
		for f := range benchFiles {
			noError(b, os.WriteFile(filepath.Join(collection, fmt.Sprintf("%05d.jpg", f)), content, 0o600))
		}
	}
	fsys, err := local.Open(dir)
	noError(b, err)
	b.Cleanup(func() { noError(b, fsys.Close()) })
	return fsys, dir
}

// contender is one way to do the work of a benchmark.
type contender struct {
	name          string
	prepare, work func()
}

// compare runs the contenders in turn, so that a disturbance of the machine affects all
// of them. It reports the median of each, and its ratio to that of the first.
func compare(b *testing.B, contenders ...contender) {
	b.Helper()
	times := make([][]time.Duration, len(contenders))
	for i := 0; b.Loop(); i++ {
		for j := range contenders {
			j = (i + j) % len(contenders)
			contenders[j].prepare()
			start := time.Now()
			contenders[j].work()
			times[j] = append(times[j], time.Since(start))
		}
	}
	var first time.Duration
	for i, c := range contenders {
		slices.Sort(times[i])
		median := times[i][len(times[i])/2]
		b.ReportMetric(median.Seconds()*1000, c.name+"-ms")
		if i == 0 {
			first = median
			continue
		}
		b.ReportMetric(float64(median)/float64(first), c.name+"/"+contenders[0].name)
	}
}

// BenchmarkCopy compares Copy with two goroutines that only copy files.
func BenchmarkCopy(b *testing.B) {
	fsys, dir := benchTree(b, benchFileSize)
	clean := func() { noError(b, os.RemoveAll(filepath.Join(dir, "dst"))) }
	by := func(mon func() *tree.Monitor) func() {
		return func() {
			noError(b, copyTree(context.Background(), fsys, "/src", "/dst", tree.Infinite, mon()))
		}
	}
	compare(
		b,
		contender{"plain", clean, func() { plainCopy(b, filepath.Join(dir, "src"), filepath.Join(dir, "dst")) }},
		contender{"tree", clean, by(func() *tree.Monitor { return nil })},
		contender{"monitored", clean, by(watchedMonitor)},
	)
}

// BenchmarkRemove compares Remove with os.RemoveAll.
func BenchmarkRemove(b *testing.B) {
	fsys, dir := benchTree(b, benchFileSize)
	dst := filepath.Join(dir, "dst")
	build := func() { plainCopy(b, filepath.Join(dir, "src"), dst) }
	by := func(mon func() *tree.Monitor) func() {
		return func() { noError(b, removeTree(context.Background(), fsys, "/dst", mon())) }
	}
	compare(
		b,
		contender{"plain", build, func() { noError(b, os.RemoveAll(dst)) }},
		contender{"tree", build, by(func() *tree.Monitor { return nil })},
		contender{"monitored", build, by(watchedMonitor)},
	)
}

// BenchmarkRemoveWide is like BenchmarkRemove, with all files in one collection.
func BenchmarkRemoveWide(b *testing.B) {
	fsys, dir := benchTree(b, 0)
	dst := filepath.Join(dir, "dst")
	build := func() {
		noError(b, os.Mkdir(dst, 0o755))
		for i := range benchMembers {
			noError(b, os.WriteFile(filepath.Join(dst, fmt.Sprintf("%05d.jpg", i)), nil, 0o600))
		}
	}
	compare(
		b,
		contender{"plain", build, func() { noError(b, os.RemoveAll(dst)) }},
		contender{"tree", build, func() { noError(b, removeTree(context.Background(), fsys, "/dst", nil)) }},
	)
}

// BenchmarkWalk walks the tree without and with a Monitor. Of all operations, a walk
// does the least for each member.
func BenchmarkWalk(b *testing.B) {
	fsys, _ := benchTree(b, 0)
	by := func(mon func() *tree.Monitor) func() {
		return func() {
			noError(b, visit(context.Background(), fsys, "/src", tree.Infinite, mon(),
				func(tree.Member) error { return nil }))
		}
	}
	nothing := func() {}
	compare(
		b,
		contender{"walk", nothing, by(func() *tree.Monitor { return nil })},
		contender{"monitored", nothing, by(watchedMonitor)},
	)
}

// plainCopy copies src, whose collections hold only files, to dst with two goroutines.
// Each copies one collection at a time.
func plainCopy(b *testing.B, src, dst string) {
	b.Helper()
	noError(b, os.Mkdir(dst, 0o755))
	collections, err := os.ReadDir(src)
	noError(b, err)
	queue := make(chan string, len(collections))
	for _, c := range collections {
		queue <- c.Name()
	}
	close(queue)
	errs := make(chan error, 2)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for c := range queue {
				if err := plainCollection(filepath.Join(src, c), filepath.Join(dst, c)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	noError(b, <-errs)
}

func plainCollection(src, dst string) error {
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dst, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		if err := plainFile(filepath.Join(src, e.Name()), filepath.Join(dst, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func plainFile(src, dst string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
