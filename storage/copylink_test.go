package storage_test

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

func TestCopyLinkFallback(t *testing.T) {
	err := storage.CopyLink(t.Context(), webdav.NewMemFS(), "/link", "/copy")
	wantUnsupported(t, err)
	link, ok := errors.AsType[*os.LinkError](err)
	if !ok || link.Old != "/link" || link.New != "/copy" {
		t.Errorf("error %v, want both names in it", err)
	}
}

// TestCopyLinkDecorated checks that CopyLink is one call for WithLatency and for Fault.
func TestCopyLinkDecorated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Symlink("nowhere", dir+"/link"); err != nil {
			t.Fatal(err)
		}
		fsys := openLocal(t, dir)
		slow := storage.WithLatency(fsys, delay)
		if got := took(t, func() error { return storage.CopyLink(t.Context(), slow, "/link", "/copy") }); got != 1 {
			t.Errorf("it took %v delays, want 1", got)
		}
		errFault := errors.New("fault")
		faulty := &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
			if op == "copylink" && name == "/link" {
				return errFault
			}
			return nil
		}}
		if err := storage.CopyLink(t.Context(), faulty, "/link", "/other"); !errors.Is(err, errFault) {
			t.Errorf("error %v, want the fault", err)
		}
		if _, err := os.Lstat(dir + "/other"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the copy: %v, want none", err)
		}
	})
}
