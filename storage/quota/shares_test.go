package quota_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/quota"
	"github.com/davd/davd/storage/storagetest"
)

// siblings returns two directories on one filesystem, each with its own quota.
func siblings(t *testing.T, limit int64) (a, b *quota.FS) {
	t.Helper()
	for _, q := range []**quota.FS{&a, &b} {
		*q = quota.New(openLocal(t), quota.Options{Limit: limit})
	}
	return a, b
}

// TestBetweenShares renames and copies from one quota to another, and from and to an FS
// without one.
func TestBetweenShares(t *testing.T) {
	a, b := siblings(t, 10)
	storagetest.WriteTree(t, a, storagetest.Tree{"/dir": "/", "/dir/x": "1234", "/dir/sub": "/", "/dir/sub/y": "123", "/z": "123"})
	ctx := t.Context()
	both := func() {
		t.Helper()
		check(t, a)
		check(t, b)
	}
	both()
	rename := func(from storage.FS, old string, into storage.FS, name string) error {
		return storage.RenameWith(ctx, from, storage.Renaming{Old: old, New: name, Into: into})
	}
	if err := rename(a, "/dir", b, "/moved"); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("this system can't rename between two directories")
	} else if err != nil {
		t.Error(err)
	}
	both()
	if usage, _ := b.Usage(ctx); usage.Used != 7 {
		t.Errorf("the usage is %+v", usage)
	}
	storagetest.WriteTree(t, a, storagetest.Tree{"/four": "1234"})
	both()
	if err := rename(a, "/four", b, "/four"); !over(err) {
		t.Errorf("error %v", err)
	}
	both()
	if err := rename(a, "/z", b, "/z"); err != nil {
		t.Error(err)
	}
	both()
	plain := openLocal(t)
	if err := rename(b, "/moved", plain, "/moved"); err != nil {
		t.Error(err)
	}
	both()
	if err := rename(plain, "/moved/sub", a, "/sub"); err != nil {
		t.Error(err)
	}
	both()

	copies := func(from storage.FS, name string, into storage.FS) error {
		c := storage.Copying{From: "/", To: "/", Into: into}
		info := describe(t, from, name)
		c.Members = append(c.Members, info)
		for _, err := range storage.CopyMembers(ctx, from, c) {
			return err
		}
		return nil
	}
	storagetest.WriteTree(t, plain, storagetest.Tree{"/p": "12345", "/long": "12345678901"})
	for _, err := range []error{copies(plain, "/p", b), copies(b, "/z", plain)} {
		if err != nil {
			t.Error(err)
		}
	}
	both()
	if err := copies(plain, "/long", b); !over(err) {
		t.Errorf("error %v", err)
	}
	both()
	if _, ok := a.FS.(*local.FS); !ok {
		t.Error("not a directory")
	}
}

// TestMovesBothWays moves trees between two quotas in both directions at once.
func TestMovesBothWays(t *testing.T) {
	a, b := siblings(t, 1<<20)
	storagetest.WriteTree(t, a, storagetest.Tree{"/a": "/", "/a/x": "1234"})
	storagetest.WriteTree(t, b, storagetest.Tree{"/b": "/", "/b/x": "12345"})
	end := time.Now().Add(time.Second / 2)
	var movers sync.WaitGroup
	for _, m := range []struct {
		from, into *quota.FS
		name       string
	}{{a, b, "/a"}, {b, a, "/b"}, {a, b, "/b"}, {b, a, "/a"}} {
		movers.Go(func() {
			for time.Now().Before(end) {
				_ = storage.RenameWith(t.Context(), m.from, storage.Renaming{Old: m.name, New: m.name, Into: m.into})
			}
		})
	}
	movers.Go(func() {
		for time.Now().Before(end) {
			if _, err := a.Recount(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	movers.Wait()
	check(t, a)
	check(t, b)
}
