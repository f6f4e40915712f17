package local_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// TestExchange checks that Exchange works. (The suite also accepts a backend that can't do it.)
func TestExchange(t *testing.T) {
	s := newShare(t)
	storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/", "/dir/file": "x", "/a": "a", "/new": "/", "/new/file": "y"})
	if err := storage.Exchange(t.Context(), s, "/dir", "/new"); err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			err = unix.Renameat2(unix.AT_FDCWD, s.path("/dir"), unix.AT_FDCWD, s.path("/new"), unix.RENAME_EXCHANGE)
			if errors.Is(err, unix.EINVAL) {
				t.Skip("this filesystem can't exchange: set TMPDIR to a directory on another filesystem")
			}
		}
		t.Fatal(err)
	}
	want := storagetest.Tree{"/dir": "/", "/dir/file": "y", "/a": "a", "/new": "/", "/new/file": "x"}
	if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
		t.Errorf("the share contains %q", got)
	}
}

// TestExchangeErrors checks what each error matches, and that nothing has changed.
func TestExchangeErrors(t *testing.T) {
	s := newShare(t)
	want := storagetest.Tree{"/dir": "/", "/dir/sub": "/", "/dir/sub/file": "x", "/a": "a"}
	storagetest.WriteTree(t, s, want)
	outside := t.TempDir()
	if err := errors.Join(os.Symlink(outside, s.path("/out")), os.Symlink("dir", s.path("/link"))); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		a, b string
		want error
	}{
		{"/a", "/no", fs.ErrNotExist},
		{"/no", "/a", fs.ErrNotExist},
		{"/a", "/no/no", fs.ErrNotExist},
		{"/a", "/a/no", fs.ErrInvalid},
		{"/dir", "/dir/sub/file", fs.ErrInvalid},
		{"/dir/sub", "/dir", fs.ErrInvalid},
		{"/dir", "/link/sub", errors.ErrUnsupported},
		{"/", "/a", fs.ErrPermission},
		{"/a", "/", fs.ErrPermission},
		{"/a", "/out/new", fs.ErrPermission},
		{"/a\x00", "/a", fs.ErrNotExist},
	} {
		err := storage.Exchange(t.Context(), s, test.a, test.b)
		var link *os.LinkError
		if !errors.Is(err, test.want) || !errors.As(err, &link) || link.Old != test.a || link.New != test.b {
			t.Errorf("Exchange(%q, %q): %v, want %v with both names", test.a, test.b, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := storage.Exchange(ctx, s, "/a", "/dir"); !errors.Is(err, context.Canceled) {
		t.Errorf("Exchange: %v, want context.Canceled", err)
	}
	if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
		t.Errorf("the share contains %q", got)
	}
}

// TestExchangeOfLinks checks that Exchange moves links themselves.
func TestExchangeOfLinks(t *testing.T) {
	s := newShare(t)
	storagetest.WriteTree(t, s, storagetest.Tree{"/a": "a"})
	if err := os.Symlink("nowhere", s.path("/link")); err != nil {
		t.Fatal(err)
	}
	if err := storage.Exchange(t.Context(), s, "/a", "/link"); err != nil {
		t.Fatal(err)
	}
	target, err := os.Readlink(s.path("/a"))
	if got := storagetest.ReadTree(t, s, "/"); err != nil || target != "nowhere" || got["/link"] != "a" {
		t.Errorf("the target of the link is %q, %v; the share contains %q", target, err, got)
	}
}
