package local_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

// share is an FS together with its directory.
type share struct {
	*local.FS
	dir string
}

func newShare(tb testing.TB) share {
	tb.Helper()
	return newShareWith(tb, local.Options{})
}

func newShareWith(tb testing.TB, options local.Options) share {
	tb.Helper()
	return newShareIn(tb, tb.TempDir(), options)
}

func newShareIn(tb testing.TB, dir string, options local.Options) share {
	tb.Helper()
	fsys, err := local.OpenWith(dir, options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := fsys.Close(); err != nil {
			tb.Error(err)
		}
	})
	return share{fsys, dir}
}

func (s share) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func TestConformance(t *testing.T) {
	suite(func(t *testing.T) storage.FS {
		t.Helper()
		return newShare(t)
	}).Run(t)
}

// suite returns the conformance suite for shares that follow links inside.
func suite(newFS func(t *testing.T) storage.FS) storagetest.Suite {
	return storagetest.Suite{
		New: newFS,
	}.OnDisk(pathIn)
}

func pathIn(t *testing.T, fsys storage.FS, name string) string {
	t.Helper()
	s, ok := fsys.(share)
	if !ok {
		t.Fatalf("a %T is not a share", fsys)
	}
	return s.path(name)
}

func BenchmarkConformance(b *testing.B) {
	storagetest.BenchmarkFS(b, func(b *testing.B) storage.FS {
		b.Helper()
		return newShare(b)
	})
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ dir, want string }{
		{filepath.Join(dir, "missing"), "missing"},
		{file, "not a directory"},
		{"", ""},
	} {
		fsys, err := local.Open(test.dir)
		if err == nil {
			t.Errorf("Open(%q) = %v, want an error", test.dir, fsys)
		} else if !strings.Contains(err.Error(), test.want) {
			t.Errorf("Open(%q): %v; want %q in it", test.dir, err, test.want)
		}
	}
}

func TestClose(t *testing.T) {
	fsys, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := fsys.Close(); err != nil {
		t.Error(err)
	}
	if _, err := fsys.Stat(t.Context(), "/"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Stat after Close: %v, want fs.ErrClosed", err)
	}
}

// TestDirectoryRenamed checks that the share still serves the opened directory after a rename.
func TestDirectoryRenamed(t *testing.T) {
	s := newShare(t)
	storagetest.WriteTree(t, s, storagetest.Tree{"/file": "x"})
	if err := os.Rename(s.dir, s.dir+"-renamed"); err != nil {
		t.Fatal(err)
	}
	if got := storagetest.ReadTree(t, s, "/"); got["/file"] != "x" {
		t.Errorf("the share contains %v", got)
	}
}

// TestErrorsNameNothingOfTheDisk checks that no kind of error contains a path of the disk.
func TestErrorsNameNothingOfTheDisk(t *testing.T) {
	s := newShare(t)
	ctx := t.Context()
	storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/", "/dir/file": "x"})
	if err := os.Symlink(s.dir, s.path("/out")); err != nil {
		t.Fatal(err)
	}
	_, stat := s.Stat(ctx, "/no")
	_, lstat := s.Lstat(ctx, "/no/no")
	_, read := s.OpenFile(ctx, "/out", os.O_RDONLY, 0)
	_, write := s.OpenFile(ctx, "/out/dir", os.O_RDWR|os.O_CREATE, 0o666)
	_, directory := s.OpenFile(ctx, "/dir", os.O_RDWR, 0)
	for _, test := range []struct {
		err        error
		name, want string
	}{
		{stat, "/no", "stat /no: no such file or directory"},
		{lstat, "/no/no", "lstat /no/no: no such file or directory"},
		{read, "/out", "open /out: file does not exist: path escapes from parent"},
		{write, "/out/dir", "open /out/dir: permission denied: path escapes from parent"},
		{directory, "/dir", "open /dir: is a directory"},
		{s.Mkdir(ctx, "/dir/file/a", 0o777), "/dir/file/a", "mkdir /dir/file/a: file does not exist: not a directory"},
		{storage.Remove(ctx, s, "/dir"), "/dir", "remove /dir: directory not empty"},
		{s.RemoveAll(ctx, "/"), "/", "removeall /: permission denied"},
		{s.Rename(ctx, "/no", "/to"), "/no", "rename /no /to: no such file or directory"},
		{s.Rename(ctx, "/dir", "/dir/a"), "/dir", "rename /dir /dir/a: invalid argument"},
	} {
		if test.err == nil || strings.Contains(test.err.Error(), s.dir) || !strings.Contains(test.err.Error(), test.name) {
			t.Errorf("error %v; want %q in it, and no path of the disk", test.err, test.name)
		}
		if filepath.Separator == '/' && test.err.Error() != test.want {
			t.Errorf("error %q, want %q", test.err, test.want)
		}
	}
}

// TestFileIsBare checks that files aren't wrapped, because the kernel couldn't copy then.
func TestFileIsBare(t *testing.T) {
	s := newShare(t)
	file, err := s.OpenFile(t.Context(), "/file", os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, ok := file.(*os.File); !ok {
		t.Errorf("OpenFile returned a %T, want an *os.File", file)
	}
}

func TestReadDeadProps(t *testing.T) {
	s := newShare(t)
	storagetest.WriteTree(t, s, storagetest.Tree{"/file": "x"})
	if props, err := storage.ReadDeadProps(t.Context(), s, "/file"); props != nil || err != nil {
		t.Errorf("ReadDeadProps = %v, %v; want none", props, err)
	}
}
