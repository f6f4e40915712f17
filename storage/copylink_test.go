package storage_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

func TestCopyLinkFallback(t *testing.T) {
	err := storage.CopyMember(t.Context(), webdav.NewMemFS(), "/link", "/copy", linkInfo(t, t.TempDir()), nil)
	wantUnsupported(t, err)
	link, ok := errors.AsType[*os.LinkError](err)
	if !ok || link.Old != "/link" || link.New != "/copy" {
		t.Errorf("error %v, want both names in it", err)
	}
}

// linkInfo creates a symbolic link in dir and describes it.
func linkInfo(t *testing.T, dir string) fs.FileInfo {
	t.Helper()
	if err := os.Symlink("nowhere", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(dir + "/link")
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestCopyLinkDecorated checks that the copy of a link is one call of a decorator.
func TestCopyLinkDecorated(t *testing.T) {
	dir := t.TempDir()
	link := linkInfo(t, dir)
	errFault := errors.New("fault")
	faulty := &storagetest.Fault{FS: openLocal(t, dir), Before: func(op, name string) error {
		if op == "copymembers" && name == "/link" {
			return errFault
		}
		return nil
	}}
	if err := storage.CopyMember(t.Context(), faulty, "/link", "/other", link, nil); !errors.Is(err, errFault) {
		t.Errorf("error %v, want the fault", err)
	}
	if _, err := os.Lstat(dir + "/other"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the copy: %v, want none", err)
	}
	faulty.Before = nil
	if err := storage.CopyMember(t.Context(), faulty, "/link", "/other", link, nil); err != nil {
		t.Error(err)
	}
	if text, err := os.Readlink(dir + "/other"); text != "nowhere" || err != nil {
		t.Errorf("the copy leads to %q, error %v", text, err)
	}
}
