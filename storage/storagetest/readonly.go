package storagetest

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"testing"
	"time"

	"github.com/davd/davd/storage"
)

// TestReadOnlyFS checks that fsys contains want and nothing else, that it can be read like any
// storage, and that every call that would change it fails with fs.ErrPermission and changes
// nothing. want must contain a file and a collection.
func TestReadOnlyFS(t *testing.T, fsys storage.FS, want Tree) {
	t.Helper()
	f := newFixture(t, fsys)
	t.Run("Holds", func(t *testing.T) { newFixture(t, fsys).holds(want) })
	var file, dir string
	for name, content := range want {
		t.Run("Read"+name, func(t *testing.T) { newFixture(t, fsys).reads(name, content) })
		if content == collection {
			dir = name
		} else {
			file = name
		}
	}
	if file == "" || dir == "" {
		t.Fatal("want contains no file or no collection")
	}
	t.Run("Missing", func(t *testing.T) {
		f := newFixture(t, fsys)
		for _, name := range []string{"/missing", dir + "/missing", "/missing/missing", file + "/missing"} {
			f.missing(name)
		}
	})
	t.Run("Root", func(t *testing.T) {
		f := newFixture(t, fsys)
		f.rootInfo(f.stat("/"))
		info, err := f.open("/", os.O_RDONLY).Stat()
		f.succeeds(err)
		f.rootInfo(info)
	})
	for call, err := range f.changes(file, dir) {
		if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v; want fs.ErrPermission, or errors.ErrUnsupported if the capability is missing", call, err)
		}
	}
	f.holds(want)
}

// changes tries every call that would change file or dir, and returns the errors.
func (f *fixture) changes(file, dir string) map[string]error {
	return map[string]error{
		"Mkdir":             f.Mkdir(f.ctx, "/new", 0o777),
		"Mkdir below":       f.Mkdir(f.ctx, dir+"/new", 0o777),
		"create":            f.tryOpen("/new", os.O_RDWR|os.O_CREATE),
		"create exclusive":  f.tryOpen("/new", os.O_RDWR|os.O_CREATE|os.O_EXCL),
		"open for writing":  f.tryOpen(file, os.O_RDWR),
		"truncate":          f.tryOpen(file, os.O_WRONLY|os.O_TRUNC),
		"Remove":            storage.Remove(f.ctx, f.FS, file),
		"RemoveAll":         f.RemoveAll(f.ctx, file),
		"RemoveAll of dir":  f.RemoveAll(f.ctx, dir),
		"RemoveAll of root": f.RemoveAll(f.ctx, "/"),
		"Rename":            f.Rename(f.ctx, file, "/new"),
		"Rename of dir":     f.Rename(f.ctx, dir, "/new"),
		"SetTimes":          storage.SetTimes(f.ctx, f.FS, file, time.Now()),
		"CopyMember":        copyFile(f.ctx, f.FS, file, "/new", nil),
		"ReplaceFile":       f.tryReplace(file, "x", false),
		"ReplaceFile, new":  f.tryReplace("/new", "x", true),
	}
}

// reads checks that name, which has the content want, can be read in every possible way.
func (f *fixture) reads(name, want string) {
	f.t.Helper()
	info := f.stat(name)
	if info.Name() != path.Base(name) || info.IsDir() != (want == collection) || info.IsDir() != info.Mode().IsDir() {
		f.t.Errorf("Stat(%q): %s", name, fs.FormatFileInfo(info))
	}
	file := f.open(name, os.O_RDONLY)
	if want == collection {
		f.readsCollection(name, file)
		return
	}
	if info.Size() != int64(len(want)) {
		f.t.Errorf("size %d, want %d", info.Size(), len(want))
	}
	f.seek(file, 0, io.SeekEnd, int64(len(want)))
	f.seek(file, int64(len(want)/2), io.SeekStart, int64(len(want)/2))
	got, err := io.ReadAll(file)
	if err != nil || string(got) != want[len(want)/2:] {
		f.t.Errorf("the second half reads %q, %v; want %q", got, err, want[len(want)/2:])
	}
	f.seek(file, 0, io.SeekStart, 0)
	if got, err = io.ReadAll(file); err != nil || string(got) != want {
		f.t.Errorf("from the start it reads %q, %v; want %q", got, err, want)
	}
}

// readsCollection checks that reading members one by one gives the same as reading all at once.
func (f *fixture) readsCollection(name string, file storage.File) {
	f.t.Helper()
	single := map[string]bool{}
	for {
		infos, err := file.Readdir(1)
		if atEnd(err) && len(infos) == 0 {
			break
		}
		f.succeeds(err)
		if len(infos) != 1 || single[infos[0].Name()] {
			f.t.Fatalf("Readdir(1) = %v after %v", infos, single)
		}
		single[infos[0].Name()] = true
	}
	all := map[string]bool{}
	for member := range f.list(name) {
		all[member] = true
	}
	if !maps.Equal(single, all) {
		f.t.Errorf("one by one, the members are %v; all at once, %v", single, all)
	}
}
