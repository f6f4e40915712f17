package tree_test

import (
	"errors"
	"io/fs"
	"maps"
	"testing"

	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// TestRefuser: no operation reaches a storage through a decorator that refuses everything.
func TestRefuser(t *testing.T) {
	inner, _ := newLocal(t)
	build(t, inner, layout{"/src/a": "a", "/src/c/b": "b", "/dst/old": "old"})
	was := snapshot(t, inner)
	fsys := storagetest.Refuser{Inner: &storagetest.Fault{FS: inner, Before: func(op, name string) error {
		t.Errorf("%s of %s is called", op, name)
		return nil
	}}}
	ctx := t.Context()
	for call, err := range map[string]error{
		"Copy":   copyTree(ctx, fsys, "/src", "/dst", tree.Infinite, nil),
		"Move":   moveTree(ctx, fsys, "/src", "/dst", nil),
		"Remove": removeTree(ctx, fsys, "/src", nil),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v, want fs.ErrPermission", call, err)
		}
	}
	if is := snapshot(t, inner); !maps.Equal(is, was) {
		t.Errorf("the storage contains %v, want %v", is, was)
	}
}
