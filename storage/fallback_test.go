package storage_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

var members = storagetest.Tree{"/dir": "/", "/dir/a": "x", "/dir/b": "y", "/dir/sub": "/"}

func TestSetTimesFallback(t *testing.T) {
	wantUnsupported(t, storage.SetTimes(t.Context(), webdav.NewMemFS(), "/", time.Now()))
}

// TestRemoveFallbackKeepsMembers checks that the fallback of Remove, which uses RemoveAll,
// removes only what Remove may.
func TestRemoveFallbackKeepsMembers(t *testing.T) {
	removals := 0
	fault := &storagetest.Fault{FS: webdav.NewMemFS(), Before: func(op, _ string) error {
		if op == "removeall" {
			removals++
		}
		return nil
	}}
	storagetest.WriteTree(t, fault, members)
	// This struct hides everything but the five methods.
	fsys := struct{ storage.FS }{fault}
	if err := storage.Remove(t.Context(), fsys, "/dir"); !errors.Is(err, fs.ErrExist) || removals != 0 {
		t.Errorf("Remove: %v after %d removals; want fs.ErrExist and none", err, removals)
	}
	if err := storage.Remove(t.Context(), fsys, "/dir/sub"); err != nil || removals != 1 {
		t.Errorf("Remove: %v after %d removals; want one", err, removals)
	}
}

// TestRemoveFallbackFaults checks that a failing call never makes Remove delete members.
func TestRemoveFallbackFaults(t *testing.T) {
	errFault := errors.New("fault")
	for _, op := range []string{"stat", "open", "readdir"} {
		fault := &storagetest.Fault{FS: webdav.NewMemFS()}
		storagetest.WriteTree(t, fault, members)
		fault.Before = func(called, _ string) error {
			if called == op {
				return errFault
			}
			return nil
		}
		if err := storage.Remove(t.Context(), struct{ storage.FS }{fault}, "/dir"); !errors.Is(err, errFault) {
			t.Errorf("%s fails: Remove: %v", op, err)
		}
		if got := storagetest.ReadTree(t, fault.FS, "/"); len(got) != len(members) {
			t.Errorf("%s fails: the storage contains %v", op, got)
		}
	}
}

// TestReadDirFallbackCloses checks that the fallback closes the collection, however it ends.
func TestReadDirFallbackCloses(t *testing.T) {
	errFault := errors.New("fault")
	for name, test := range map[string]struct {
		fail string
		stop bool
	}{
		"to the end": {},
		"a break":    {stop: true},
		"an error":   {fail: "readdir"},
	} {
		opened := 0
		fault := &storagetest.Fault{FS: webdav.NewMemFS()}
		storagetest.WriteTree(t, fault, members)
		fault.Before = func(op, _ string) error {
			switch op {
			case "open":
				opened++
			case "close":
				opened--
			case test.fail:
				return errFault
			}
			return nil
		}
		var last error
		for _, err := range storage.ReadDir(t.Context(), struct{ storage.FS }{fault}, "/dir") {
			if last = err; test.stop {
				break
			}
		}
		if opened != 0 || (test.fail != "") != errors.Is(last, errFault) {
			t.Errorf("%s: %d collections are left open, the last error is %v", name, opened, last)
		}
	}
}

// TestCopyMemberReportsAsItGoes checks that copying a large file reports several times.
func TestCopyMemberReportsAsItGoes(t *testing.T) {
	const size = 40 << 20 // bytes
	own := openLocal(t, t.TempDir())
	storagetest.WriteTree(t, own, storagetest.Tree{"/src": strings.Repeat("content ", size/8)})
	for name, fsys := range map[string]storage.FS{"/own": own, "/fallback": struct{ storage.FS }{own}} {
		var reports, sum int64
		info, err := own.Stat(t.Context(), "/src")
		if err != nil {
			t.Fatal(err)
		}
		err = storage.CopyMember(t.Context(), fsys, "/src", name, info, func(n int64) {
			reports++
			sum += n
		})
		if err != nil || sum != size || reports < 2 {
			t.Errorf("CopyMember to %s: %v, %d bytes in %d reports; want %d in several", name, err, sum, reports, size)
		}
	}
}
