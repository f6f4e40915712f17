package storagetest

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/davd/davd/storage"
)

var exchangeChecks = []check{
	{"Exchange", func(f *fixture) {
		f.mkdir("/other")
		f.write("/other/a", "a")
		f.write("/b", "b")
		f.exchanges("/other/a", "/b", Tree{"/other": collection, "/other/a": "b", "/b": "a"})
	}},
	{"ExchangeCollections", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{"/a": collection, "/a/1": "1", "/b": collection, "/b/c": collection, "/b/c/2": "2"})
		f.exchanges("/a", "/b/c", Tree{"/a": collection, "/a/2": "2", "/b": collection, "/b/c": collection, "/b/c/1": "1"})
	}},
	{"ExchangeFileAndCollection", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{"/dir": collection, "/dir/1": "1", "/file": "x"})
		f.exchanges("/file", "/dir", Tree{"/file": collection, "/file/1": "1", "/dir": "x"})
	}},
	{"ExchangeImpossible", func(f *fixture) {
		want := Tree{"/dir": collection, "/dir/sub": collection, "/dir/sub/file": "x"}
		WriteTree(f.t, f.FS, want)
		for _, names := range [][2]string{
			{"/dir", "/no"},
			{"/no", "/dir"},
			{"/dir", "/no/no"},
			{"/", "/dir"},
			{"/dir", "/"},
			{"/dir", "/dir/sub"},
			{"/dir/sub/file", "/dir"},
			{"/dir/sub/file/a", "/dir"},
		} {
			f.fails(storage.Exchange(f.ctx, f.FS, names[0], names[1]),
				fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported)
			f.holds(want)
		}
	}},
}

// exchanges swaps a and b and checks that the storage then contains want. A backend that
// can't swap them must return an error that says so, and change nothing.
func (f *fixture) exchanges(a, b string, want Tree) {
	f.t.Helper()
	before := ReadTree(f.t, f.FS, "/")
	err := storage.Exchange(f.ctx, f.FS, a, b)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EXDEV) {
		f.t.Logf("this backend can't exchange: %v", err)
		want = before
	} else {
		f.succeeds(err)
	}
	f.holds(want)
}
