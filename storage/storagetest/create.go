package storagetest

import (
	"errors"
	"io/fs"
	"os"

	"github.com/davd/davd/storage"
)

// modes are the flags that make OpenFile create a file.
var modes = []int{
	os.O_RDWR | os.O_CREATE,
	os.O_WRONLY | os.O_CREATE,
	os.O_RDWR | os.O_CREATE | os.O_TRUNC,
	os.O_RDWR | os.O_CREATE | os.O_EXCL,
}

var createChecks = []check{
	{"Mkdir", func(f *fixture) {
		f.mkdir("/a", "/a/b")
		f.holds(Tree{"/a": collection, "/a/b": collection})
	}},
	{"MkdirTwice", func(f *fixture) {
		f.mkdir("/a")
		f.write("/a/file", "x")
		f.fails(f.Mkdir(f.ctx, "/a", 0o777), fs.ErrExist)
		f.fails(f.Mkdir(f.ctx, "/a/file", 0o777), fs.ErrExist)
		f.holds(Tree{"/a": collection, "/a/file": "x"})
	}},
	{"MkdirRoot", func(f *fixture) {
		f.fails(f.Mkdir(f.ctx, "/", 0o777), fs.ErrExist, fs.ErrInvalid)
		f.holds(Tree{})
	}},
	{"MissingParent", func(f *fixture) {
		f.write("/src", "x")
		f.fails(f.Mkdir(f.ctx, "/no/a", 0o777), fs.ErrNotExist)
		for _, flag := range modes {
			f.fails(f.tryOpen("/no/a", flag), fs.ErrNotExist)
		}
		f.fails(f.Rename(f.ctx, "/src", "/no/a"), fs.ErrNotExist)
		f.fails(copyFile(f.ctx, f.FS, "/src", "/no/a", nil), fs.ErrNotExist)
		f.holds(Tree{"/src": "x"})
	}},
	{"ParentIsFile", func(f *fixture) {
		f.write("/file", "x")
		f.write("/src", "y")
		f.missing("/file/a")
		f.fails(f.Mkdir(f.ctx, "/file/a", 0o777), fs.ErrNotExist)
		for _, flag := range modes {
			f.fails(f.tryOpen("/file/a", flag), fs.ErrNotExist)
		}
		f.fails(f.Rename(f.ctx, "/src", "/file/a"), fs.ErrNotExist)
		f.fails(f.Rename(f.ctx, "/file/a", "/dst"), fs.ErrNotExist)
		f.fails(storage.Remove(f.ctx, f.FS, "/file/a"), fs.ErrNotExist)
		f.succeeds(f.RemoveAll(f.ctx, "/file/a"))
		f.holds(Tree{"/file": "x", "/src": "y"})
	}},
	{"OpenMissing", func(f *fixture) {
		for _, flag := range []int{os.O_RDONLY, os.O_RDWR, os.O_WRONLY, os.O_RDWR | os.O_TRUNC} {
			f.fails(f.tryOpen("/a", flag), fs.ErrNotExist)
		}
		f.holds(Tree{})
	}},
	{"OpenExclusive", func(f *fixture) {
		file := f.open("/a", os.O_RDWR|os.O_CREATE|os.O_EXCL)
		f.succeeds(file.Close())
		f.fails(f.tryOpen("/a", os.O_RDWR|os.O_CREATE|os.O_EXCL), fs.ErrExist)
		f.write("/a", "x")
		f.fails(f.tryOpen("/a", os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_TRUNC), fs.ErrExist)
		f.mkdir("/dir")
		f.fails(f.tryOpen("/dir", os.O_RDWR|os.O_CREATE|os.O_EXCL), fs.ErrExist)
		f.holds(Tree{"/a": "x", "/dir": collection})
	}},
	{"OpenCollectionToWrite", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "x")
		for _, name := range []string{"/", "/dir"} {
			for _, flag := range []int{
				os.O_RDWR, os.O_WRONLY, os.O_RDWR | os.O_TRUNC, os.O_RDWR | os.O_CREATE,
				os.O_RDWR | os.O_CREATE | os.O_TRUNC,
			} {
				if err := f.tryOpen(name, flag); err == nil || errors.Is(err, fs.ErrNotExist) {
					f.t.Errorf("opening %s with flag %#x: %v; want an error other than fs.ErrNotExist", name, flag, err)
				}
			}
		}
		f.holds(Tree{"/dir": collection, "/dir/file": "x"})
	}},
	{"ErrorsCarryTheName", func(f *fixture) {
		f.write("/file", "x")
		f.carry("/no/a", f.Mkdir(f.ctx, "/no/a", 0o777))
		f.carry("/file", f.Mkdir(f.ctx, "/file", 0o777))
		f.carry("/no", f.tryOpen("/no", os.O_RDONLY))
		f.carry("/no/a", f.tryOpen("/no/a", os.O_RDWR|os.O_CREATE))
		f.carry("/file", f.tryOpen("/file", os.O_RDWR|os.O_CREATE|os.O_EXCL))
		_, err := f.Stat(f.ctx, "/no")
		f.carry("/no", err)
		_, err = storage.Lstat(f.ctx, f.FS, "/no")
		f.carry("/no", err)
		f.carry("/no", storage.Remove(f.ctx, f.FS, "/no"))
		f.carry("/", f.RemoveAll(f.ctx, "/"))
		f.carry("/no", f.Rename(f.ctx, "/no", "/to"))
		f.carry("/file", f.Rename(f.ctx, "/file", "/no/a"))
	}},
}

// carry checks that err contains name and no other name.
func (f *fixture) carry(name string, err error) {
	f.t.Helper()
	var path *fs.PathError
	var link *os.LinkError
	var got string
	switch {
	case errors.As(err, &path):
		got = path.Path
	case errors.As(err, &link):
		got = link.Old
	}
	if got != name {
		f.t.Errorf("error %#v (%v) contains the name %q; want %q", err, err, got, name)
	}
}
