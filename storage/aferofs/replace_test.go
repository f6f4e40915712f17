package aferofs_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/storagetest"
)

// put replaces the content of name.
func put(t *testing.T, fsys storage.FS, name, content string, create bool) error {
	t.Helper()
	r, err := storage.ReplaceFile(t.Context(), fsys, name, storage.Replacing{Perm: 0o666})
	if err != nil {
		return err
	}
	if _, err = io.WriteString(r, content); err != nil {
		return errors.Join(err, r.Discard())
	}
	_, err = r.Commit(t.Context(), storage.Placing{Create: create})
	return err
}

// TestReplaceFileWithoutRename: the content is copied into place.
func TestReplaceFileWithoutRename(t *testing.T) {
	for _, cause := range []error{errors.ErrUnsupported, &os.LinkError{Op: "rename", Old: "/disk", Err: syscall.EXDEV}} {
		memory := afero.NewMemMapFs()
		fsys := aferofs.New(motionless{memory, cause})
		storagetest.WriteTree(t, fsys, storagetest.Tree{"/file": "a long old content"})
		if err := errors.Join(put(t, fsys, "/file", "new", false), put(t, fsys, "/other", "made", true)); err != nil {
			t.Errorf("%v: %v", cause, err)
		}
		holds(t, fsys, storagetest.Tree{"/file": "new", "/other": "made"})
	}
}

// motionless is a backend whose Rename fails with err.
type motionless struct {
	afero.Fs
	err error
}

func (m motionless) Rename(string, string) error { return m.err }

func TestReplaceFileRenameFails(t *testing.T) {
	fsys := aferofs.New(motionless{afero.NewMemMapFs(), &os.LinkError{Op: "rename", Old: "/disk", Err: syscall.EIO}})
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/file": "old"})
	err := put(t, fsys, "/file", "new", false)
	if err == nil || err.Error() != "replacefile /file: input/output error" {
		t.Errorf("error %v", err)
	}
	holds(t, fsys, storagetest.Tree{"/file": "old"})
}

// TestReplaceFileReadOnly: an error that is known under another name matches the one that
// it means.
func TestReplaceFileReadOnly(t *testing.T) {
	fsys := aferofs.New(motionless{afero.NewMemMapFs(), &os.LinkError{Op: "rename", Old: "/disk", Err: syscall.EROFS}})
	if err := put(t, fsys, "/file", "new", false); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v, want fs.ErrPermission", err)
	}
}

// TestReplaceFileOfLink: a link on disk is neither followed nor replaced.
func TestReplaceFileOfLink(t *testing.T) {
	d := newOnDisk(t)
	storagetest.WriteTree(t, d, storagetest.Tree{"/file": "old"})
	if err := os.Symlink("file", d.path("/link")); err != nil {
		t.Fatal(err)
	}
	if err := put(t, d, "/link", "new", false); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v, want fs.ErrPermission", err)
	}
	holds(t, d, storagetest.Tree{"/file": "old"})
}

// TestReplaceFileKeepsPermissions: the umask does not matter.
func TestReplaceFileKeepsPermissions(t *testing.T) {
	d := newOnDisk(t)
	storagetest.WriteTree(t, d, storagetest.Tree{"/file": "old"})
	if err := os.Chmod(d.path("/file"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := put(t, d, "/file", "new", false); err != nil {
		t.Error(err)
	}
	if info, err := d.Stat(t.Context(), "/file"); err != nil || info.Mode() != 0o666 {
		t.Errorf("Stat: %v, %v; want the permissions of the old file", info, err)
	}
}

// TestReplaceFileInUnion: the new file covers the one in the base and keeps its
// permissions.
func TestReplaceFileInUnion(t *testing.T) {
	fsys := newUnionOf(t, storagetest.Tree{"/dir": "/", "/dir/file": "base"})
	if err := errors.Join(put(t, fsys, "/dir/file", "new", false), put(t, fsys, "/dir/other", "x", true)); err != nil {
		t.Error(err)
	}
	if err := put(t, fsys, "/dir/file", "newer", true); !errors.Is(err, fs.ErrExist) {
		t.Errorf("with create: %v, want fs.ErrExist", err)
	}
	holds(t, fsys, storagetest.Tree{"/dir": "/", "/dir/file": "new", "/dir/other": "x"})
}

// TestReplaceFileErrorsNameNothingOfTheDisk: errors don't contain the reserved name
// either.
func TestReplaceFileErrorsNameNothingOfTheDisk(t *testing.T) {
	d := newOnDisk(t)
	r, err := d.ReplaceFile(t.Context(), "/file", storage.Replacing{Perm: 0o666})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Discard(); err != nil {
		t.Error(err)
	}
	_, writeErr := r.Write(nil)
	_, readErr := io.Copy(r, strings.NewReader("x"))
	_, commitErr := r.Commit(t.Context(), storage.Placing{})
	for _, err := range []error{writeErr, readErr, commitErr} {
		if err == nil || err.Error() != "replacefile /file: file already closed" {
			t.Errorf("error %v", err)
		}
	}
}
