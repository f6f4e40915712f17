package tree_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/davd/davd/storage/tree"
)

// TestFencedMountPoint checks that nothing changes if the source or the destination is a mount
// point, and that a tree moves to another filesystem and back.
func TestFencedMountPoint(t *testing.T) {
	n, dir := fenced(t, layout{"/a/src/f": "one", "/b": collection}, plain)
	mountTmpfs(t, dir)
	engine, ctx := n.engine, t.Context()
	build(t, n.fsys, layout{"/small/in/g": "two", "/large": strings.Repeat("x", 2<<20)})
	was := look(t, dir)
	errorIs(t, engine.Remove(ctx, "/small", nil), syscall.EBUSY)
	errorIs(t, engine.Move(ctx, "/small", "/b/dst", nil), syscall.EBUSY)
	errorIs(t, engine.Move(ctx, "/a/src", "/small", nil), syscall.EBUSY)
	errorIs(t, engine.Copy(ctx, "/a/src", "/small", tree.Infinite, nil), syscall.EBUSY)
	errorIs(t, engine.Move(ctx, "/large", "/small/large", nil), syscall.ENOSPC)
	check(t, n.fsys, was)
	noError(t, engine.Move(ctx, "/a/src", "/small/in", nil))
	check(t, n.fsys, was.replaced("/a/src", "/small/in").without("/a/src"))
	noError(t, engine.Move(ctx, "/small/in", "/a/src", nil))
	check(t, n.fsys, was.without("/small/in"))
}
