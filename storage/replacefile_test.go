package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/storagetest"
)

// put replaces the content of name.
func put(ctx context.Context, fsys storage.FS, name, content string, create bool) error {
	r, err := storage.ReplaceFile(ctx, fsys, name, storage.Replacing{Perm: 0o666})
	if err != nil {
		return err
	}
	if _, err = io.WriteString(r, content); err != nil {
		return errors.Join(err, r.Discard())
	}
	_, err = r.Commit(ctx, storage.Placing{Create: create})
	return err
}

func wantTree(t *testing.T, fsys storage.FS, want storagetest.Tree) {
	t.Helper()
	if got := storagetest.ReadTree(t, fsys, "/"); !maps.Equal(got, want) {
		t.Errorf("the storage contains %q\nwant %q", got, want)
	}
}

// TestReplaceFileKeepsDeadProps checks that a PUT keeps dead properties (RFC 4918 §9.7.1).
func TestReplaceFileKeepsDeadProps(t *testing.T) {
	for name, decorate := range map[string]func(storage.FS) storage.FS{
		"memFS":     func(fsys storage.FS) storage.FS { return fsys },
		"latency":   func(fsys storage.FS) storage.FS { return latency.New(fsys, 1) },
		"unmovable": func(fsys storage.FS) storage.FS { return unmovable{fsys, syscall.EXDEV} },
	} {
		t.Run(name, func(t *testing.T) {
			fsys := withProps(t)
			if err := put(t.Context(), decorate(fsys), "/src", "new", false); err != nil {
				t.Fatal(err)
			}
			wantProps(t, fsys, "/src", author, title)
		})
	}
}

// unmovable is an FS that can't rename.
type unmovable struct {
	storage.FS
	err error
}

func (u unmovable) Rename(_ context.Context, oldName, newName string) error {
	return &os.LinkError{Op: "rename", Old: oldName, New: newName, Err: u.err}
}

func TestReplaceFileWithoutRename(t *testing.T) {
	for _, err := range []error{errors.ErrUnsupported, syscall.EXDEV} {
		t.Run(err.Error(), func(t *testing.T) {
			memory := webdav.NewMemFS()
			storagetest.WriteTree(t, memory, storagetest.Tree{"/file": "a long old content"})
			fsys := unmovable{memory, err}
			if err := errors.Join(
				put(t.Context(), fsys, "/file", "new", false),
				put(t.Context(), fsys, "/other", "made", true),
			); err != nil {
				t.Error(err)
			}
			if err := put(t.Context(), fsys, "/file", "x", true); !errors.Is(err, fs.ErrExist) {
				t.Errorf("with create: %v, want fs.ErrExist", err)
			}
			wantTree(t, memory, storagetest.Tree{"/file": "new", "/other": "made"})
		})
	}
}

// TestReplaceFileRenameFails checks that Commit returns any other error of Rename.
func TestReplaceFileRenameFails(t *testing.T) {
	memory := webdav.NewMemFS()
	storagetest.WriteTree(t, memory, storagetest.Tree{"/file": "old"})
	err := put(t.Context(), unmovable{memory, syscall.EIO}, "/file", "new", false)
	if !errors.Is(err, syscall.EIO) || strings.Contains(err.Error(), ".davd-") {
		t.Errorf("error %v; want syscall.EIO, and no reserved name", err)
	}
	wantTree(t, memory, storagetest.Tree{"/file": "old"})
}

// TestReplaceFileFallbackFaults makes each call fail in turn, with and without Rename. No new name may
// be left behind, and the file must be the old one or the new one, unless the content had to be copied
// over it.
func TestReplaceFileFallbackFaults(t *testing.T) {
	for _, movable := range []bool{true, false} {
		for _, old := range []storagetest.Tree{{}, {"/file": "old"}} {
			t.Run(fmt.Sprintf("movable %t, of %d", movable, len(old)), func(t *testing.T) {
				for n := 1; faultAt(t, n, movable, old); n++ {
					if n > 100 {
						t.Fatal("the calls never end")
					}
				}
			})
		}
	}
}

// faultAt makes the call n fail, and reports whether there was such a call.
func faultAt(t *testing.T, n int, movable bool, old storagetest.Tree) bool {
	t.Helper()
	errFault := errors.New("fault")
	memory := webdav.NewMemFS()
	storagetest.WriteTree(t, memory, old)
	calls, failed := 0, ""
	var fsys storage.FS = &storagetest.Fault{FS: memory, Before: func(op, name string) error {
		if calls++; calls == n {
			failed = op + " " + name
			return errFault
		}
		return nil
	}}
	if !movable {
		fsys = unmovable{fsys, syscall.EXDEV}
	}
	// This struct hides everything but the five methods, so that Fault sees each call.
	err := put(t.Context(), struct{ storage.FS }{fsys}, "/file", "new", len(old) == 0)
	got := storagetest.ReadTree(t, memory, "/")
	switch {
	case err == nil && strings.HasPrefix(failed, "removeall /.davd-"), err == nil && strings.HasPrefix(failed, "stat /.davd-"):
		// The file is in place; a stage that can't be removed is left behind.
		if got["/file"] != "new" {
			t.Errorf("%s fails: the storage contains %q", failed, got)
		}
	case err == nil:
		wantTree(t, memory, storagetest.Tree{"/file": "new"})
	case !errors.Is(err, errFault):
		t.Errorf("%s fails: error %v", failed, err)
	case !movable && len(old) > 0:
		// The content of the file is undefined, but no other name may exist.
		if _, ok := got["/file"]; !ok || len(got) != 1 {
			t.Errorf("%s fails: the storage contains %q", failed, got)
		}
	default:
		wantTree(t, memory, old)
	}
	return failed != ""
}

// TestReplaceFileStopped ends ctx at each call in turn. The file must be unchanged unless the rename
// had already started.
func TestReplaceFileStopped(t *testing.T) {
	for n := 1; ; n++ {
		memory := webdav.NewMemFS()
		storagetest.WriteTree(t, memory, storagetest.Tree{"/file": "old"})
		early := false
		ctx, cancel := context.WithCancel(t.Context())
		calls, renamed := 0, false
		fault := &storagetest.Fault{FS: memory, Before: func(op, _ string) error {
			calls++
			if renamed = renamed || op == "rename"; calls == n {
				cancel()
				if !renamed {
					early = true
				}
			}
			return nil
		}}
		err := put(ctx, struct{ storage.FS }{fault}, "/file", "new", false)
		cancel()
		want := storagetest.Tree{"/file": "new"}
		if early {
			want["/file"] = "old"
		}
		if early != errors.Is(err, context.Canceled) || early != (err != nil) {
			t.Errorf("at call %d: %v; before the rename: %t", n, err, early)
		}
		wantTree(t, memory, want)
		if calls < n {
			break
		}
	}
}

// TestReplaceFileOfLinkInDir checks that the fallback doesn't write through a link, as webdav.Dir would.
func TestReplaceFileOfLinkInDir(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(outside+"/secret", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"/link": "/secret", "/dangling": "/no", "/dir": ""} {
		if err := os.Symlink(outside+target, dir+link); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]error{"/link": nil, "/dangling": nil, "/dir": syscall.EISDIR} {
		if err := put(t.Context(), webdav.Dir(dir), name, "new", true); err == nil {
			t.Errorf("%s was created although it exists", name)
		}
		if err := put(t.Context(), webdav.Dir(dir), name, "new", false); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	entries, err := os.ReadDir(outside)
	content, readErr := os.ReadFile(outside + "/secret")
	if err != nil || len(entries) != 1 || readErr != nil || string(content) != "secret" {
		t.Errorf("outside contains %v, %v; the file reads %q, %v", entries, err, content, readErr)
	}
}

// TestModified uses a clock that stands still and a clock that is set back.
func TestModified(t *testing.T) {
	want := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
	if got := storage.Modified(want); !got.Equal(want) {
		t.Errorf("Modified(%v) = %v", want, got)
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)))
		now := time.Now()
		for n := range 5 {
			got := storage.Modified(time.Time{})
			if age := got.Sub(now); age != time.Duration(n)*100 {
				t.Errorf("time %d is %v after now", n, age)
			}
		}
	})
	// For Modified, the clock has just been set back from the year 2100.
	if ahead := time.Until(storage.Modified(time.Time{})).Abs(); ahead > time.Minute {
		t.Errorf("%v from now, although the clock was set back", ahead)
	}
}

func TestFactFallbacks(t *testing.T) {
	_, _, err := storage.Space(t.Context(), webdav.NewMemFS(), "/")
	wantUnsupported(t, err)
}
