package tree_test

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// endless is an FS with a collection /src of many empty files. Each is described only
// when it is read.
type endless struct {
	storage.FS
	files int
}

// emptyFile takes as much memory as a description from package os.
type emptyFile struct {
	name string
	_    [200]byte
}

func (f *emptyFile) Name() string     { return f.name }
func (*emptyFile) Size() int64        { return 0 }
func (*emptyFile) Mode() fs.FileMode  { return 0o644 }
func (*emptyFile) ModTime() time.Time { return time.Time{} }
func (*emptyFile) IsDir() bool        { return false }
func (*emptyFile) Sys() any           { return nil }

func (e *endless) List(ctx context.Context, name string) (storage.Listing, error) {
	return storagetest.Stream(e.readDir(ctx, name)), nil
}

func (e *endless) readDir(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error] {
	if name != "/src" {
		return storage.ReadDir(ctx, e.FS, name)
	}
	return func(yield func(fs.FileInfo, error) bool) {
		for i := range e.files {
			if !yield(&emptyFile{name: fmt.Sprintf("a file with a name of some length %09d.jpg", i)}, nil) {
				return
			}
		}
	}
}

// TestCopyMemory: a copy of a million files holds only as many as the walker may run
// ahead. Here the workers do nothing.
func TestCopyMemory(t *testing.T) {
	const files, limit = 1_000_000, 64 << 20
	fsys, _ := newLocal(t)
	mkdir(t, fsys, "/src")
	held := func() int64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	start := held()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := &gauge{FS: &endless{FS: fsys, files: files}, enter: func() { <-ctx.Done() }}
		mon := new(tree.Monitor)
		copied := make(chan error)
		go func() { copied <- copyTree(ctx, g, "/src", "/dst", tree.Infinite, mon) }()
		synctest.Wait()
		if found := mon.Snapshot().Known; found < 1000 {
			t.Errorf("%d members found, want the walker ahead", found)
		}
		// With GOGC=100 the garbage collector lets the heap double.
		if more := 2 * (held() - start); more > limit {
			t.Errorf("%d MiB held, want at most %d", more>>20, limit>>20)
		}
		cancel()
		errorIs(t, <-copied, context.Canceled)
	})
}
