package aferofs_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/spf13/afero/zipfs"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/storagetest"
)

func newMemory(*testing.T) afero.Fs { return afero.NewMemMapFs() }

func newBased(t *testing.T) afero.Fs {
	t.Helper()
	memory := afero.NewMemMapFs()
	if err := memory.MkdirAll("/some/where", 0o777); err != nil {
		t.Fatal(err)
	}
	return afero.NewBasePathFs(memory, "/some/where")
}

func newUnion(*testing.T) afero.Fs {
	return afero.NewCopyOnWriteFs(afero.NewReadOnlyFs(afero.NewMemMapFs()), afero.NewMemMapFs())
}

// newPlain hides that the backend is an afero.Lstater.
func newPlain(*testing.T) afero.Fs { return struct{ afero.Fs }{afero.NewMemMapFs()} }

// CacheOnReadFs is missing: the documentation of the package says why it can't conform.
func TestConformance(t *testing.T) {
	for name, newBackend := range map[string]func(t *testing.T) afero.Fs{
		"MemMapFs":               newMemory,
		"BasePathFs of MemMapFs": newBased,
		"CopyOnWriteFs":          newUnion,
		"no Lstater":             newPlain,
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.TestFS(t, func(t *testing.T) storage.FS {
				t.Helper()
				return aferofs.New(newBackend(t))
			})
		})
	}
}

// onDisk is a directory of this machine, served through afero.
type onDisk struct {
	*aferofs.FS
	dir string
}

func newOnDisk(tb testing.TB) onDisk {
	tb.Helper()
	dir := tb.TempDir()
	return onDisk{aferofs.New(afero.NewBasePathFs(afero.NewOsFs(), dir)), dir}
}

func (d onDisk) path(name string) string { return filepath.Join(d.dir, filepath.FromSlash(name)) }

func TestConformanceOnDisk(t *testing.T) {
	storagetest.Suite{
		New: func(t *testing.T) storage.FS {
			t.Helper()
			return newOnDisk(t)
		},
		Symlink: func(t *testing.T, fsys storage.FS, target, name string) {
			t.Helper()
			disk, ok := fsys.(onDisk)
			if !ok {
				t.Fatalf("a %T is not on disk", fsys)
			}
			if err := os.Symlink(target, disk.path(name)); err != nil {
				t.Fatal(err)
			}
		},
	}.Run(t)
}

func BenchmarkMemMapFs(b *testing.B) {
	storagetest.BenchmarkFS(b, func(*testing.B) storage.FS { return aferofs.New(afero.NewMemMapFs()) })
}

func BenchmarkOsFs(b *testing.B) {
	storagetest.BenchmarkFS(b, func(b *testing.B) storage.FS {
		b.Helper()
		return newOnDisk(b)
	})
}

// archive has a file that needs more than one read, and several different members.
var archive = storagetest.Tree{
	"/dir":        "/",
	"/dir/empty":  "/",
	"/dir/file":   strings.Repeat("0123456789", 10_000),
	"/dir/other":  "x",
	"/file":       "content",
	"/with space": "",
}

func zipped(t *testing.T, tree storagetest.Tree) afero.Fs {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		entry, content := name[1:], tree[name]
		if content == "/" {
			entry, content = entry+"/", ""
		}
		file, err := w.Create(entry)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return zipfs.New(r)
}

func TestReadOnly(t *testing.T) {
	memory := afero.NewMemMapFs()
	storagetest.WriteTree(t, aferofs.New(memory), archive)
	for name, backend := range map[string]afero.Fs{
		"ReadOnlyFs":          afero.NewReadOnlyFs(memory),
		"zipfs":               zipped(t, archive),
		"ReadOnlyFs of zipfs": afero.NewReadOnlyFs(zipped(t, archive)),
	} {
		t.Run(name, func(t *testing.T) { storagetest.TestReadOnlyFS(t, aferofs.New(backend), archive) })
	}
}

func TestErrorsNameNothingOfTheDisk(t *testing.T) {
	d := newOnDisk(t)
	ctx := t.Context()
	storagetest.WriteTree(t, d, storagetest.Tree{"/dir": "/", "/dir/file": "x"})
	_, stat := d.Stat(ctx, "/dir/file/no")
	_, read := d.OpenFile(ctx, "/no", os.O_RDONLY, 0)
	_, write := d.OpenFile(ctx, "/dir", os.O_RDWR, 0o666)
	for want, err := range map[string]error{
		"stat /dir/file/no: file does not exist":     stat,
		"open /no: no such file or directory":        read,
		"open /dir: is a directory":                  write,
		"mkdir /dir: file already exists":            d.Mkdir(ctx, "/dir", 0o777),
		"remove /dir: file already exists":           storage.Remove(ctx, d, "/dir"),
		"removeall /: permission denied":             d.RemoveAll(ctx, "/"),
		"rename /no /to: no such file or directory":  d.Rename(ctx, "/no", "/to"),
		"rename /dir /dir/a: invalid argument":       d.Rename(ctx, "/dir", "/dir/a"),
		"rename /dir/file /dir: file already exists": d.Rename(ctx, "/dir/file", "/dir"),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestFileIsBare: OpenFile returns the *os.File itself, because a wrapper would prevent
// the kernel from copying.
func TestFileIsBare(t *testing.T) {
	d := newOnDisk(t)
	storagetest.WriteTree(t, d, storagetest.Tree{"/file": "x"})
	for _, flag := range []int{os.O_RDONLY, os.O_RDWR} {
		file, err := d.OpenFile(t.Context(), "/file", flag, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := file.(*os.File); !ok {
			t.Errorf("OpenFile returned a %T, want an *os.File", file)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
}

// stubborn is a backend whose Rename and Remove fail with err.
type stubborn struct {
	afero.Fs
	err error
}

func (s stubborn) Rename(string, string) error { return s.err }
func (s stubborn) Remove(string) error         { return s.err }

func TestBackendErrors(t *testing.T) {
	for _, test := range []struct{ err, want error }{
		{errors.ErrUnsupported, errors.ErrUnsupported},
		{&os.LinkError{Op: "rename", Old: "/disk", New: "/disk", Err: syscall.EXDEV}, syscall.EXDEV},
		{&fs.PathError{Op: "remove", Path: "/disk", Err: syscall.ENOSPC}, syscall.ENOSPC},
		{syscall.EPERM, fs.ErrPermission},
		{syscall.EROFS, fs.ErrPermission},
		{afero.ErrFileNotFound, nil},
	} {
		fsys := aferofs.New(stubborn{afero.NewMemMapFs(), test.err})
		storagetest.WriteTree(t, fsys, storagetest.Tree{"/file": "x"})
		rename, remove := fsys.Rename(t.Context(), "/file", "/to"), storage.Remove(t.Context(), fsys, "/file")
		wantRename, wantRemove := test.want, test.want
		if test.want == nil { // The backend's error is wrong: the file exists.
			wantRename, wantRemove = errors.ErrUnsupported, fs.ErrPermission
		}
		if !errors.Is(rename, wantRename) || !errors.Is(remove, wantRemove) {
			t.Errorf("for %v: Rename %v, Remove %v; want %v, %v", test.err, rename, remove, wantRename, wantRemove)
		}
		if strings.Contains(rename.Error()+remove.Error(), "/disk") {
			t.Errorf("%q or %q has a name of the disk in it", rename, remove)
		}
	}
}

func TestReadDeadProps(t *testing.T) {
	fsys := aferofs.New(afero.NewMemMapFs())
	if props, err := storage.ReadDeadProps(t.Context(), fsys, "/"); props != nil || err != nil {
		t.Errorf("ReadDeadProps = %v, %v; want none", props, err)
	}
}
