package storagetest

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/davd/davd/storage"
)

// clockSkew is how much the clock of a storage may differ from that of the test. timePrecision is
// how much a storage may round times.
const (
	clockSkew     = 5 * time.Minute
	timePrecision = 2 * time.Second
)

var statChecks = []check{
	{"Stat", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "0123456789")
		info := f.stat("/dir/file")
		if info.Name() != "file" || info.Size() != 10 || info.IsDir() || !info.Mode().IsRegular() {
			f.t.Errorf("Stat of a file of 10 bytes: %s", fs.FormatFileInfo(info))
		}
		f.recent(info)
		info = f.stat("/dir")
		if info.Name() != "dir" || !info.IsDir() || !info.Mode().IsDir() {
			f.t.Errorf("Stat of a collection: %s", fs.FormatFileInfo(info))
		}
		f.recent(info)
		f.missing("/no")
		f.missing("/no/a")
	}},
	{"StatRoot", func(f *fixture) {
		f.rootInfo(f.stat("/"))
		info, err := storage.Lstat(f.ctx, f.FS, "/")
		f.succeeds(err)
		f.rootInfo(info)
		info, err = f.open("/", os.O_RDONLY).Stat()
		f.succeeds(err)
		f.rootInfo(info)
	}},
	{"StatOfAnOpenFile", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "0123456789")
		for name, size := range map[string]int64{"/dir/file": 10, "/dir": -1} {
			info, err := f.open(name, os.O_RDONLY).Stat()
			f.succeeds(err)
			want := f.stat(name)
			if info.Name() != want.Name() || info.IsDir() != want.IsDir() || !info.ModTime().Equal(want.ModTime()) {
				f.t.Errorf("%s: Stat of the open file: %s; want %s", name, fs.FormatFileInfo(info), fs.FormatFileInfo(want))
			}
			if size >= 0 && info.Size() != size {
				f.t.Errorf("%s: size %d, want %d", name, info.Size(), size)
			}
		}
	}},
	{"StatIsASnapshot", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "x")
		infos := []fs.FileInfo{f.stat("/dir/file"), f.list("/dir")["file"]}
		modified := infos[0].ModTime()
		f.write("/dir/file", "longer")
		f.succeeds(f.Rename(f.ctx, "/dir/file", "/dir/other"))
		for i, info := range infos {
			if info.Name() != "file" || info.Size() != 1 || !info.ModTime().Equal(modified) {
				f.t.Errorf("info %d changed with the file: %s", i, fs.FormatFileInfo(info))
			}
		}
	}},
	{"Lstat", func(f *fixture) {
		f.write("/file", "0123456789")
		info, err := storage.Lstat(f.ctx, f.FS, "/file")
		f.succeeds(err)
		if info.Name() != "file" || info.Size() != 10 || !info.Mode().IsRegular() {
			f.t.Errorf("Lstat of a file of 10 bytes: %s", fs.FormatFileInfo(info))
		}
		_, err = storage.Lstat(f.ctx, f.FS, "/no")
		f.fails(err, fs.ErrNotExist)
	}},
	{"SetTimes", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "x")
		want := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		for _, name := range []string{"/dir/file", "/dir"} {
			err := storage.SetTimes(f.ctx, f.FS, name, want)
			if errors.Is(err, errors.ErrUnsupported) {
				f.t.Logf("this backend can't set the time of %s", name)
				continue
			}
			f.succeeds(err)
			if got := f.stat(name).ModTime(); got.Sub(want).Abs() > timePrecision {
				f.t.Errorf("%s was modified at %v, want %v", name, got, want)
			}
		}
		f.fails(storage.SetTimes(f.ctx, f.FS, "/no", want), fs.ErrNotExist, errors.ErrUnsupported)
		f.holds(Tree{"/dir": collection, "/dir/file": "x"})
	}},
}

func (f *fixture) recent(info fs.FileInfo) {
	f.t.Helper()
	if age := time.Since(info.ModTime()); age.Abs() > clockSkew {
		f.t.Errorf("%s was modified %v ago; want just now", info.Name(), age)
	}
}

func (f *fixture) rootInfo(info fs.FileInfo) {
	f.t.Helper()
	if name := info.Name(); !info.IsDir() || !info.Mode().IsDir() || name != "/" && name != "." {
		f.t.Errorf("the root is %s", fs.FormatFileInfo(info))
	}
}
