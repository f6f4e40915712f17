package storagetest

import (
	"errors"
	"io/fs"
	"maps"
	"os"
)

var renameChecks = []check{
	{"RenameFile", func(f *fixture) {
		f.mkdir("/a", "/b")
		f.write("/a/file", "x")
		f.succeeds(f.Rename(f.ctx, "/a/file", "/b/other"))
		f.missing("/a/file")
		f.holds(Tree{"/a": collection, "/b": collection, "/b/other": "x"})
	}},
	{"RenameFileOntoFile", func(f *fixture) {
		f.write("/src", "new")
		f.write("/dst", "old, longer")
		f.succeeds(f.Rename(f.ctx, "/src", "/dst"))
		f.missing("/src")
		f.holds(Tree{"/dst": "new"})
	}},
	{"RenameOntoItself", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "x")
		f.succeeds(f.Rename(f.ctx, "/dir/file", "/dir/file"))
		f.succeeds(f.Rename(f.ctx, "/dir", "/dir"))
		f.holds(Tree{"/dir": collection, "/dir/file": "x"})
	}},
	{"RenameTree", func(f *fixture) {
		f.mkdir("/to", "/a", "/a/b", "/a/b/c", "/a/empty", "/ab")
		f.write("/a/1", "one")
		f.write("/a/b/2", "two")
		f.write("/a/b/c/3", "three")
		f.write("/ab/other", "other")
		f.succeeds(f.Rename(f.ctx, "/a", "/to/a"))
		f.missing("/a")
		f.missing("/a/b/c/3")
		f.holds(Tree{
			"/to": collection, "/to/a": collection, "/to/a/b": collection, "/to/a/b/c": collection,
			"/to/a/empty": collection, "/to/a/1": "one", "/to/a/b/2": "two", "/to/a/b/c/3": "three",
			"/ab": collection, "/ab/other": "other",
		})
		f.mkdir("/a", "/a/b")
		if members := f.list("/a/b"); len(members) != 0 {
			f.t.Errorf("a new collection in place of a renamed one contains %v", members)
		}
	}},
	{"RenameOntoCollectionWithMembers", func(f *fixture) {
		f.mkdir("/src", "/dst")
		f.write("/src/new", "new")
		f.write("/dst/old", "old")
		f.write("/file", "x")
		f.fails(f.Rename(f.ctx, "/src", "/dst"), fs.ErrExist)
		f.fails(f.Rename(f.ctx, "/file", "/dst"))
		f.holds(Tree{"/src": collection, "/src/new": "new", "/dst": collection, "/dst/old": "old", "/file": "x"})
	}},
	{"RenameOntoEmptyCollection", func(f *fixture) {
		f.mkdir("/src", "/dst")
		f.write("/src/new", "new")
		// rename(2) replaces the collection, os.Rename doesn't. Both are allowed.
		want := Tree{"/dst": collection, "/dst/new": "new"}
		if err := f.Rename(f.ctx, "/src", "/dst"); err != nil {
			f.fails(err, fs.ErrExist)
			want = Tree{"/src": collection, "/src/new": "new", "/dst": collection}
		}
		f.holds(want)
	}},
	{"RenameFileOntoEmptyCollection", func(f *fixture) {
		f.mkdir("/dst")
		f.write("/src", "x")
		f.fails(f.Rename(f.ctx, "/src", "/dst"))
		f.holds(Tree{"/src": "x", "/dst": collection})
	}},
	{"RenameCollectionOntoFile", func(f *fixture) {
		f.mkdir("/src")
		f.write("/src/file", "x")
		f.write("/dst", "y")
		err := f.Rename(f.ctx, "/src", "/dst")
		f.fails(err)
		if errors.Is(err, fs.ErrNotExist) {
			f.t.Errorf("error %q, although both exist", err)
		}
		f.holds(Tree{"/src": collection, "/src/file": "x", "/dst": "y"})
	}},
	{"RenameIntoItself", func(f *fixture) {
		want := Tree{"/a": collection, "/a/b": collection, "/a/b/c": collection, "/a/file": "x"}
		WriteTree(f.t, f.FS, want)
		for _, to := range []string{"/a/a", "/a/b/a", "/a/b/c/a", "/a/b", "/a/file", "/a/file/a"} {
			f.fails(f.Rename(f.ctx, "/a", to))
			f.holds(want)
		}
		f.fails(f.Rename(f.ctx, "/a/file", "/a/file/a"))
		f.fails(f.Rename(f.ctx, "/a/b/c", "/a/b"))
		f.fails(f.Rename(f.ctx, "/a/b/c", "/a"))
		f.holds(want)
	}},
	{"RenameMissing", func(f *fixture) {
		f.write("/dst", "x")
		f.fails(f.Rename(f.ctx, "/no", "/dst"), fs.ErrNotExist)
		f.fails(f.Rename(f.ctx, "/no", "/to"), fs.ErrNotExist)
		f.fails(f.Rename(f.ctx, "/no", "/no"), fs.ErrNotExist)
		f.fails(f.Rename(f.ctx, "/no/a", "/to"), fs.ErrNotExist)
		f.holds(Tree{"/dst": "x"})
	}},
	{"RenameKeepsOpenFiles", func(f *fixture) {
		f.write("/src", "source")
		f.write("/dst", "destination")
		src, dst := f.open("/src", os.O_RDONLY), f.open("/dst", os.O_RDONLY)
		f.get(src, 3, "sou")
		f.get(dst, 4, "dest")
		f.succeeds(f.Rename(f.ctx, "/src", "/dst"))
		f.get(src, 3, "rce")
		f.get(dst, 7, "ination")
	}},
	{"RootStays", func(f *fixture) {
		want := Tree{"/dir": collection, "/file": "x"}
		WriteTree(f.t, f.FS, want)
		for _, err := range []error{
			f.Rename(f.ctx, "/", "/to"),
			f.Rename(f.ctx, "/", "/dir/to"),
			f.Rename(f.ctx, "/dir", "/"),
			f.Rename(f.ctx, "/file", "/"),
			f.RemoveAll(f.ctx, "/"),
			f.RemoveAll(f.ctx, ""),
			f.RemoveAll(f.ctx, "/."),
			f.RemoveAll(f.ctx, "/dir/.."),
		} {
			f.fails(err, fs.ErrInvalid, fs.ErrPermission)
		}
		if got := ReadTree(f.t, f.FS, "/"); !maps.Equal(got, want) {
			f.t.Errorf("the storage contains %q, want %q", got, want)
		}
	}},
}
