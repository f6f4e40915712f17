package storagetest

import (
	"io/fs"
	"os"

	"github.com/davd/davd/storage"
)

var removeChecks = []check{
	{"Remove", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{"/dir": collection, "/dir/file": "x", "/dir/empty": collection})
		f.succeeds(storage.Remove(f.ctx, f.FS, "/dir/file"))
		f.missing("/dir/file")
		f.succeeds(storage.Remove(f.ctx, f.FS, "/dir/empty"))
		f.missing("/dir/empty")
		f.holds(Tree{"/dir": collection})
		f.succeeds(storage.Remove(f.ctx, f.FS, "/dir"))
		f.holds(Tree{})
	}},
	{"RemoveCollectionWithMembers", func(f *fixture) {
		want := Tree{"/dir": collection, "/dir/file": "x", "/outer": collection, "/outer/inner": collection}
		WriteTree(f.t, f.FS, want)
		f.fails(storage.Remove(f.ctx, f.FS, "/dir"), fs.ErrExist)
		f.fails(storage.Remove(f.ctx, f.FS, "/outer"), fs.ErrExist)
		f.holds(want)
	}},
	{"RemoveMissing", func(f *fixture) {
		f.mkdir("/dir")
		f.fails(storage.Remove(f.ctx, f.FS, "/no"), fs.ErrNotExist)
		f.fails(storage.Remove(f.ctx, f.FS, "/no/a"), fs.ErrNotExist)
		f.holds(Tree{"/dir": collection})
	}},
	{"RemoveRoot", func(f *fixture) {
		f.fails(storage.Remove(f.ctx, f.FS, "/"), fs.ErrInvalid, fs.ErrPermission)
		f.mkdir("/dir")
		f.fails(storage.Remove(f.ctx, f.FS, "/"), fs.ErrInvalid, fs.ErrPermission, fs.ErrExist)
		f.holds(Tree{"/dir": collection})
	}},
	{"RemoveAll", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{
			"/a": collection, "/a/1": "x", "/a/b": collection, "/a/b/2": "x", "/a/b/c": collection,
			"/ab": collection, "/ab/3": "x", "/file": "x",
		})
		f.succeeds(f.RemoveAll(f.ctx, "/a"))
		f.missing("/a")
		f.missing("/a/b/2")
		f.succeeds(f.RemoveAll(f.ctx, "/file"))
		f.holds(Tree{"/ab": collection, "/ab/3": "x"})
		f.mkdir("/a")
		f.holds(Tree{"/a": collection, "/ab": collection, "/ab/3": "x"})
	}},
	{"RemoveAllMissing", func(f *fixture) {
		f.mkdir("/dir")
		f.succeeds(f.RemoveAll(f.ctx, "/no"))
		f.succeeds(f.RemoveAll(f.ctx, "/no/a"))
		f.holds(Tree{"/dir": collection})
	}},
	{"RemoveOpenFile", func(f *fixture) {
		f.write("/file", "content")
		file := f.open("/file", os.O_RDONLY)
		f.get(file, 3, "con")
		f.succeeds(storage.Remove(f.ctx, f.FS, "/file"))
		f.get(file, 4, "tent")
		f.holds(Tree{})
	}},
}
