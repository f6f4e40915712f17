package tree_test

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// ops is a storage that copies and removes whole trees, and notes its calls.
type ops struct {
	storage.FS
	calls []string
	// fail, if not nil, returns the error of a call.
	fail func(op, name string) error
}

func newOps() *ops {
	o := &ops{}
	o.FS = &storagetest.Fault{FS: storagetest.WholeTrees(aferofs.New(afero.NewMemMapFs())), Before: func(op, name string) error {
		o.calls = append(o.calls, op)
		if o.fail != nil {
			return o.fail(op, name)
		}
		return nil
	}}
	return o
}

// TestWholeCopy: the storage copies the tree in one call, and removes what it replaces in another.
// The Monitor gets the exact numbers, and one outcome.
func TestWholeCopy(t *testing.T) {
	for _, depth := range []int{0, tree.Infinite} {
		for _, src := range []string{"/src", "/src/f", "/src/empty"} {
			for _, d := range destinations {
				t.Run(src+" onto "+d.name, func(t *testing.T) {
					o := newOps()
					build(t, o.FS, source)
					build(t, o.FS, d.old)
					o.calls = nil
					mon, taken := recorded()
					noError(t, copyTree(t.Context(), o.FS, src, "/dst", depth, mon))
					calls := o.calls
					want := source.full().below(src)
					if depth == 0 && want[""] == collection {
						want = layout{"": collection}
					}
					check(t, o.FS, source.full().with("/dst", want))
					bytes := int64(0)
					for _, content := range want {
						if content != collection {
							bytes += int64(len(content))
						}
					}
					exact(t, mon, int64(len(want)), bytes)
					if got := taken.Take(); len(got) != 1 || got[0] != (tree.Outcome{Name: src}) {
						t.Errorf("outcomes %v", got)
					}
					if slices.Contains(calls, "copymembers") || slices.Contains(calls, "remove") || !slices.Contains(calls, "copytree") {
						t.Errorf("the calls were %q", calls)
					}
				})
			}
		}
	}
}

// TestWholeCopyFails: if the storage can't copy the tree, nothing has changed. A copy that was begun
// is removed.
func TestWholeCopyFails(t *testing.T) {
	fsys := aferofs.New(afero.NewMemMapFs())
	build(t, fsys, source)
	copies := 0
	o := storagetest.WholeTrees(&storagetest.Fault{FS: fsys, Before: func(op, _ string) error {
		if op == "mkdir" {
			if copies++; copies == 2 {
				return syscall.EIO
			}
		}
		return nil
	}})
	errorIs(t, copyTree(t.Context(), o, "/src", "/dst", tree.Infinite, nil), syscall.EIO)
	check(t, fsys, source.full())
	if copies < 2 {
		t.Errorf("%d collections were made before the failure", copies)
	}
}

// TestWholeCopyStopped: a copy that is stopped ends at the next report of the storage.
func TestWholeCopyStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := newOps()
	build(t, o.FS, source)
	stopping := &stoppedCopy{FS: o.FS, stop: cancel}
	errorIs(t, copyTree(ctx, stopping, "/src", "/dst", tree.Infinite, nil), context.Canceled)
	check(t, o.FS, source.full())
}

// stoppedCopy copies trees, and calls stop before its first report.
type stoppedCopy struct {
	storage.FS
	stop func()
}

func (s *stoppedCopy) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	report := c.Copied
	c.Copied = func(members, bytes int64) error {
		s.stop()
		return report(members, bytes)
	}
	return storage.CopyTree(context.WithoutCancel(ctx), s.FS, c)
}

// TestWholeRemove: a tree is removed in one call, which is one outcome. If it fails, nothing has
// changed, and that is no partial failure.
func TestWholeRemove(t *testing.T) {
	o := newOps()
	build(t, o.FS, source)
	o.fail = func(op, _ string) error {
		if op == "removetree" {
			return syscall.EIO
		}
		return nil
	}
	errorIs(t, removeTree(t.Context(), o.FS, "/src", nil), syscall.EIO)
	o.fail, o.calls = nil, nil
	check(t, o.FS, source.full())
	o.calls = nil
	mon, taken := recorded()
	noError(t, removeTree(t.Context(), o.FS, "/src", mon))
	if !slices.Equal(o.calls, []string{"removetree"}) {
		t.Errorf("the calls were %q", o.calls)
	}
	exact(t, mon, 1, 0)
	if got := taken.Take(); len(got) != 1 || got[0] != (tree.Outcome{Name: "/src"}) {
		t.Errorf("outcomes %v", got)
	}
	check(t, o.FS, layout{})
	if err := removeTree(t.Context(), o.FS, "/", nil); err == nil || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("removing the root: %v", err)
	}
}
