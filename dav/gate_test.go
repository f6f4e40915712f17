package dav_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// gate is storage that can be stopped: between close and open, its calls wait.
type gate struct {
	storage.FS

	mu      sync.Mutex
	barrier chan struct{} // nil: open
	waiting chan struct{} // receives a value for each call that begins to wait
}

func newGate(fsys storage.FS) *gate {
	return &gate{FS: fsys, waiting: make(chan struct{}, 100)}
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.barrier = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.barrier != nil {
		close(g.barrier)
		g.barrier = nil
	}
}

func (g *gate) pass(ctx context.Context) error {
	g.mu.Lock()
	barrier := g.barrier
	g.mu.Unlock()
	if barrier == nil {
		return nil
	}
	g.waiting <- struct{}{}
	select {
	case <-barrier:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	if err := g.pass(ctx); err != nil {
		return nil, err
	}
	return g.FS.OpenFile(ctx, name, flag, perm)
}

func (g *gate) Rename(ctx context.Context, oldName, newName string) error {
	if err := g.pass(ctx); err != nil {
		return err
	}
	return g.FS.Rename(ctx, oldName, newName)
}

func (g *gate) RemoveAll(ctx context.Context, name string) error {
	if err := g.pass(ctx); err != nil {
		return err
	}
	return g.FS.RemoveAll(ctx, name)
}

// Lstat never waits, because it is called before an operation begins.
func (g *gate) Lstat(ctx context.Context, name string) (os.FileInfo, error) {
	return g.Stat(ctx, name)
}

// plant creates a small tree: /src with a collection and two files.
func plant(tb testing.TB) storage.FS {
	tb.Helper()
	fsys := webdav.NewMemFS()
	storagetest.WriteTree(tb, fsys, storagetest.Tree{
		"/src": "/", "/src/a.txt": "content of /src/a.txt",
		"/src/c": "/", "/src/c/b.txt": "content of /src/c/b.txt",
	})
	return fsys
}

func write(tb testing.TB, fsys storage.FS, name, content string) {
	tb.Helper()
	storagetest.WriteTree(tb, fsys, storagetest.Tree{name: content})
}

func exists(tb testing.TB, fsys storage.FS, name string) bool {
	tb.Helper()
	_, err := fsys.Stat(tb.Context(), name)
	if err != nil && !os.IsNotExist(err) {
		tb.Fatal(err)
	}
	return err == nil
}
