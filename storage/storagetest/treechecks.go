package storagetest

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"strings"
	"time"

	"github.com/davd/davd/storage"
)

// staged is a reserved name, as those of the copies of trees are.
const staged = "/.davd-staged"

// treeChecks are about whole trees. A backend that can't copy or remove them passes if nothing has
// changed.
var treeChecks = []check{
	{"CopyTree", func(f *fixture) {
		want := f.tree()
		err := storage.SetTimes(f.ctx, f.FS, "/src/sub/b", time.Unix(1_700_000_000, 0))
		if !errors.Is(err, errors.ErrUnsupported) {
			f.succeeds(err)
		}
		if !f.copiesTree(storage.TreeCopying{From: "/src", To: staged, Copied: f.counts(6, 3+4)}) {
			return
		}
		f.holdsAt(staged, Tree{"/a": "abc", "/sub": collection, "/sub/b": "abcd", "/sub/c": "", "/empty": collection})
		if at, modified := f.stat(staged+"/sub/b").ModTime(), f.stat("/src/sub/b").ModTime(); !at.Equal(modified) {
			f.t.Errorf("the copy was modified at %v, want %v", at, modified)
		}
		f.write(staged+"/a", "changed")
		f.succeeds(storage.Remove(f.ctx, f.FS, staged+"/sub/c"))
		f.shows(want)
		f.succeeds(f.Rename(f.ctx, staged, "/dst"))
		f.holdsAt("/dst", Tree{"/a": "changed", "/sub": collection, "/sub/b": "abcd", "/empty": collection})
	}},
	{"CopyTreeOfFile", func(f *fixture) {
		f.tree()
		if f.copiesTree(storage.TreeCopying{From: "/src/a", To: staged, Copied: f.counts(1, 3)}) {
			if got := readFile(f.t, f.FS, staged); got != "abc" {
				f.t.Errorf("the copy has the content %q", got)
			}
		}
	}},
	{"CopyTreeZeroDepth", func(f *fixture) {
		f.tree()
		if f.copiesTree(storage.TreeCopying{From: "/src", To: staged, ZeroDepth: true, Copied: f.counts(1, 0)}) {
			f.holdsAt(staged, Tree{})
		}
	}},
	{"CopyTreeMissing", func(f *fixture) {
		want := f.tree()
		f.fails(storage.CopyTree(f.ctx, f.FS, storage.TreeCopying{From: "/no", To: staged}), fs.ErrNotExist, errors.ErrUnsupported)
		f.fails(storage.CopyTree(f.ctx, f.FS, storage.TreeCopying{From: "/src", To: "/no" + staged}), fs.ErrNotExist, errors.ErrUnsupported)
		f.shows(want)
	}},
	{"CopyTreeStopped", func(f *fixture) {
		want := f.tree()
		errStop := errors.New("stop")
		stop := func(int64, int64) error { return errStop }
		f.fails(storage.CopyTree(f.ctx, f.FS, storage.TreeCopying{From: "/src", To: staged, Copied: stop}), errStop, errors.ErrUnsupported)
		ctx, cancel := context.WithCancel(f.ctx)
		cancel()
		f.fails(storage.CopyTree(ctx, f.FS, storage.TreeCopying{From: "/src", To: "/.davd-cancelled"}), context.Canceled, errors.ErrUnsupported)
		f.shows(want)
	}},
	{"RemoveTree", func(f *fixture) {
		want := f.tree()
		err := storage.RemoveTree(f.ctx, f.FS, "/src/sub")
		if f.lacks(err) {
			f.shows(want)
			return
		}
		f.succeeds(err)
		f.shows(Tree{"/src": collection, "/src/a": "abc", "/src/empty": collection})
		f.succeeds(storage.RemoveTree(f.ctx, f.FS, "/src/a"))
		f.shows(Tree{"/src": collection, "/src/empty": collection})
		f.mkdir("/src/sub") // The name is free again, and has no members.
		f.succeeds(storage.RemoveTree(f.ctx, f.FS, "/src"))
		f.shows(Tree{})
	}},
	{"RemoveTreeMissing", func(f *fixture) {
		want := f.tree()
		f.fails(storage.RemoveTree(f.ctx, f.FS, "/no"), fs.ErrNotExist, errors.ErrUnsupported)
		f.fails(storage.RemoveTree(f.ctx, f.FS, "/no/no"), fs.ErrNotExist, errors.ErrUnsupported)
		f.fails(storage.RemoveTree(f.ctx, f.FS, "/"))
		f.shows(want)
	}},
}

// tree writes a tree with a reserved member, and returns what clients see.
func (f trees) tree() Tree {
	f.t.Helper()
	want := Tree{"/src": collection, "/src/a": "abc", "/src/sub": collection, "/src/sub/b": "abcd", "/src/sub/c": "", "/src/empty": collection}
	WriteTree(f.t, f.FS, want)
	f.write("/src/sub/.davd-stray", "not copied")
	return want
}

// lacks reports whether err says that the storage lacks the capability.
func (f trees) lacks(err error) bool {
	f.t.Helper()
	unsupported := errors.Is(err, errors.ErrUnsupported)
	if unsupported && f.required {
		f.t.Error("the storage can't handle whole trees")
	}
	return unsupported
}

// copiesTree reports whether the storage can copy the tree, and checks that nothing but the copy
// has changed.
func (f trees) copiesTree(c storage.TreeCopying) bool {
	f.t.Helper()
	before := f.shown()
	err := storage.CopyTree(f.ctx, f.FS, c)
	f.shows(before)
	if f.lacks(err) {
		_, err := f.Stat(f.ctx, c.To)
		f.fails(err, fs.ErrNotExist)
		return false
	}
	f.succeeds(err)
	return true
}

// counts returns a function for TreeCopying.Copied. When the test ends, it must have been told so
// many members and bytes, or nothing if the storage can't copy trees.
func (f trees) counts(members, bytes int64) func(members, bytes int64) error {
	var gotMembers, gotBytes int64
	f.t.Cleanup(func() {
		if gotMembers != 0 && (gotMembers != members || gotBytes != bytes) {
			f.t.Errorf("%d members and %d bytes were copied, want %d and %d", gotMembers, gotBytes, members, bytes)
		}
	})
	return func(members, bytes int64) error {
		gotMembers += members
		gotBytes += bytes
		return nil
	}
}

// holdsAt checks that the collection root contains want and nothing else, not even reserved names.
func (f trees) holdsAt(root string, want Tree) {
	f.t.Helper()
	got := Tree{}
	for name, content := range ReadTree(f.t, f.FS, root) {
		got[strings.TrimPrefix(name, root)] = content
	}
	if !maps.Equal(got, want) {
		f.t.Errorf("%s contains %q\nwant %q", root, got, want)
	}
}

// shown returns what the storage contains apart from reserved names.
func (f trees) shown() Tree {
	f.t.Helper()
	got := ReadTree(f.t, f.FS, "/")
	maps.DeleteFunc(got, func(name, _ string) bool { return storage.Reserved(name) })
	return got
}

// shows checks that the storage contains want and, apart from reserved names, nothing else.
func (f trees) shows(want Tree) {
	f.t.Helper()
	if got := f.shown(); !maps.Equal(got, want) {
		f.t.Errorf("the storage contains %q\nwant %q", got, want)
	}
}
