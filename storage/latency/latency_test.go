package latency_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

const delay = 50 * time.Millisecond

var members = storagetest.Tree{"/dir": "/", "/dir/a": "x", "/dir/b": "y", "/dir/sub": "/"}

// openLocal opens the directory dir until the test ends.
func openLocal(t *testing.T, dir string) storage.FS {
	t.Helper()
	fsys, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fsys.Close(); err != nil {
			t.Error(err)
		}
	})
	return fsys
}

// put replaces the content of name.
func put(ctx context.Context, fsys storage.FS, name, content string) error {
	r, err := storage.ReplaceFile(ctx, fsys, name, storage.Replacing{Perm: 0o666})
	if err != nil {
		return err
	}
	if _, err = io.WriteString(r, content); err != nil {
		return errors.Join(err, r.Discard())
	}
	_, err = r.Commit(ctx, storage.Placing{})
	return err
}

// took returns the duration of call, in delays.
func took(t *testing.T, call func() error) float64 {
	t.Helper()
	start := time.Now()
	if err := call(); err != nil {
		t.Error(err)
	}
	return float64(time.Since(start)) / float64(delay)
}

func TestNew(t *testing.T) {
	for name, test := range map[string]struct {
		want float64 // delays
		call func(ctx context.Context, fsys storage.FS) error
	}{
		"Mkdir":     {1, func(ctx context.Context, fsys storage.FS) error { return fsys.Mkdir(ctx, "/new", 0o777) }},
		"RemoveAll": {1, func(ctx context.Context, fsys storage.FS) error { return fsys.RemoveAll(ctx, "/dir") }},
		"Rename":    {1, func(ctx context.Context, fsys storage.FS) error { return fsys.Rename(ctx, "/dir/a", "/a") }},
		"Stat": {1, func(ctx context.Context, fsys storage.FS) error {
			_, err := fsys.Stat(ctx, "/dir/a")
			return err
		}},
		"Lstat": {1, func(ctx context.Context, fsys storage.FS) error {
			_, err := storage.Lstat(ctx, fsys, "/dir/a")
			return err
		}},
		"Remove": {1, func(ctx context.Context, fsys storage.FS) error { return storage.Remove(ctx, fsys, "/dir/a") }},
		"ReadDeadProps": {1, func(ctx context.Context, fsys storage.FS) error {
			_, err := storage.ReadDeadProps(ctx, fsys, "/dir/a")
			return err
		}},
		// Without a storage.FileReplacer, each call of the fallback waits.
		"ReplaceFile": {9, func(ctx context.Context, fsys storage.FS) error { return put(ctx, fsys, "/dir/a", "z") }},
		"ReplaceFile, discarded": {3, func(ctx context.Context, fsys storage.FS) error {
			r, err := storage.ReplaceFile(ctx, fsys, "/dir/a", storage.Replacing{Perm: 0o666})
			if err != nil {
				return err
			}
			return r.Discard()
		}},
		"ReadDir": {4, func(ctx context.Context, fsys storage.FS) error {
			for _, err := range storage.ReadDir(ctx, fsys, "/dir") {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		"a file": {4, func(ctx context.Context, fsys storage.FS) error {
			f, err := fsys.OpenFile(ctx, "/dir/a", os.O_RDWR, 0)
			if err != nil {
				return err
			}
			_, readErr := f.Read(make([]byte, 1))
			_, writeErr := f.Write([]byte("z"))
			_, statErr := f.Stat()
			_, seekErr := f.Seek(0, io.SeekStart)
			return errors.Join(readErr, writeErr, statErr, seekErr, f.Close())
		}},
		// This is a Stat, two opens, two reads and a write, a look for properties and one
		// attempt to set the time.
		"CopyMembers": {8, func(ctx context.Context, fsys storage.FS) error {
			info, err := fsys.Stat(ctx, "/dir/a")
			if err != nil {
				return err
			}
			for _, err = range storage.CopyMembers(ctx, fsys, storage.Copying{From: "/dir", To: "/dir/sub", Members: []fs.FileInfo{info}}) {
				return err
			}
			return errors.New("no member")
		}},
		"an open collection": {2, func(ctx context.Context, fsys storage.FS) error {
			f, err := fsys.OpenFile(ctx, "/dir", os.O_RDONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.Readdir(-1)
			return errors.Join(err, f.Close())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := webdav.NewMemFS()
				storagetest.WriteTree(t, memory, members)
				fsys := latency.New(memory, delay)
				if got := took(t, func() error { return test.call(t.Context(), fsys) }); got != test.want {
					t.Errorf("it took %v delays, want %v", got, test.want)
				}
			})
		})
	}
}

func TestCapabilities(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		fast := openLocal(t, dir)
		storagetest.WriteTree(t, fast, storagetest.Tree{"/file": "x"})
		fsys := latency.New(fast, delay)
		want := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		if got := took(t, func() error { return storage.SetTimes(t.Context(), fsys, "/file", want) }); got != 1 {
			t.Errorf("SetTimes took %v delays, want 1", got)
		}
		if info, err := fast.Stat(t.Context(), "/file"); err != nil || !info.ModTime().Equal(want) {
			t.Errorf("Stat: %v, %v; want the time %v", info, err, want)
		}
		if got := took(t, func() error {
			_, _, err := storage.Space(t.Context(), fsys, "/file")
			return known(err)
		}); got != 1 {
			t.Errorf("Space took %v delays, want 1", got)
		}
		storagetest.WriteTree(t, fast, storagetest.Tree{"/dir": "/", "/other": "y"})
		infos := stat(t, fast, "/file", "/other")
		if got := took(t, func() error { return copyAll(t.Context(), fsys, infos) }); got != 2 {
			t.Errorf("CopyMembers of two took %v delays, want 2", got)
		}
		if got := took(t, func() error { return known(storage.Exchange(t.Context(), fsys, "/file", "/other")) }); got != 1 {
			t.Errorf("Exchange took %v delays, want 1", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := copyAll(ctx, fsys, infos); !errors.Is(err, context.Canceled) {
			t.Errorf("CopyMembers: %v, want context.Canceled", err)
		}
		if got := storagetest.ReadTree(t, fast, "/"); got["/dir/file"] != "x" || got["/dir/other"] != "y" {
			t.Errorf("the storage contains %q", got)
		}
		// A MemFS has none of these capabilities.
		if got := took(t, func() error {
			_, _, spaceErr := storage.Space(t.Context(), latency.New(webdav.NewMemFS(), delay), "/")
			exchangeErr := storage.Exchange(t.Context(), latency.New(webdav.NewMemFS(), delay), "/a", "/b")
			return known(errors.Join(spaceErr, exchangeErr))
		}); got != 0 {
			t.Errorf("Space and Exchange of memory took %v delays, want none", got)
		}
		// A directory stores no properties, so nothing waits.
		if got := took(t, func() error {
			_, err := storage.ReadDeadProps(t.Context(), fsys, "/file")
			return err
		}); got != 0 {
			t.Errorf("ReadDeadProps took %v delays, want none", got)
		}
	})
}

// copyAll copies members of / to /dir and returns the joined errors.
func copyAll(ctx context.Context, fsys storage.FS, members []fs.FileInfo) error {
	var errs error
	for _, err := range storage.CopyMembers(ctx, fsys, storage.Copying{From: "/", To: "/dir", Members: members}) {
		errs = errors.Join(errs, err)
	}
	return errs
}

// stat describes names.
func stat(t *testing.T, fsys storage.FS, names ...string) []fs.FileInfo {
	t.Helper()
	var infos []fs.FileInfo
	for _, name := range names {
		info, err := fsys.Stat(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		infos = append(infos, info)
	}
	return infos
}

// known returns err, but nil if err says that the backend lacks the capability.
func known(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// TestEndsInCommit checks that Commit discards the content if ctx ends.
func TestEndsInCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := webdav.NewMemFS()
		storagetest.WriteTree(t, memory, members)
		fsys := latency.New(memory, delay)
		r, err := storage.ReplaceFile(t.Context(), fsys, "/dir/a", storage.Replacing{Perm: 0o666})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), delay/2)
		defer cancel()
		if _, err := r.Commit(ctx, storage.Placing{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Commit: %v, want ctx's error", err)
		}
		if got := storagetest.ReadTree(t, memory, "/"); !maps.Equal(got, members) {
			t.Errorf("the storage contains %q\nwant %q", got, members)
		}
	})
}

// TestEnds checks that a wait ends with the context, and that the call isn't made.
func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := webdav.NewMemFS()
		storagetest.WriteTree(t, memory, members)
		fsys := latency.New(memory, delay)
		ctx, cancel := context.WithTimeout(t.Context(), delay/2)
		defer cancel()
		start := time.Now()
		err := fsys.Mkdir(ctx, "/new", 0o777)
		if waited := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || waited != delay/2 {
			t.Errorf("Mkdir: %v after %v; want ctx's error after %v", err, waited, delay/2)
		}
		if _, err := memory.Stat(t.Context(), "/new"); err == nil {
			t.Error("Mkdir was carried out")
		}
		_, statErr := fsys.Stat(ctx, "/dir")
		_, lstatErr := storage.Lstat(ctx, fsys, "/dir")
		_, openErr := fsys.OpenFile(ctx, "/dir", os.O_RDONLY, 0)
		_, propsErr := storage.ReadDeadProps(ctx, fsys, "/dir")
		_, replaceErr := storage.ReplaceFile(ctx, fsys, "/dir/a", storage.Replacing{Perm: 0o666})
		for call, err := range map[string]error{
			"Stat": statErr, "Lstat": lstatErr, "OpenFile": openErr, "ReadDeadProps": propsErr, "ReplaceFile": replaceErr,
			"Remove":    storage.Remove(ctx, fsys, "/dir/a"),
			"RemoveAll": fsys.RemoveAll(ctx, "/dir"),
			"Rename":    fsys.Rename(ctx, "/dir", "/new"),
			"SetTimes":  storage.SetTimes(ctx, fsys, "/dir", start),
		} {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v, want ctx's error", call, err)
			}
		}
	})
}

func TestEndsInReadDir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := webdav.NewMemFS()
		storagetest.WriteTree(t, memory, members)
		ctx, cancel := context.WithTimeout(t.Context(), 2*delay+delay/2)
		defer cancel()
		n, pairs := 0, 0
		var last error
		for _, err := range storage.ReadDir(ctx, latency.New(memory, delay), "/dir") {
			pairs++
			if last = err; err == nil {
				n++
			}
		}
		if n != 1 || pairs != 2 || !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("%d members, then %v, in %d pairs; want 1 and ctx's error", n, last, pairs)
		}
	})
}

func TestNoDelay(t *testing.T) {
	fsys := webdav.NewMemFS()
	for _, none := range []time.Duration{0, -1} {
		if latency.New(fsys, none) != fsys {
			t.Errorf("New(fsys, %v) is not fsys", none)
		}
	}
}

// TestKeepsDeadProps checks that a decorated file is a DeadPropsHolder if and only if
// the underlying file is one.
func TestKeepsDeadProps(t *testing.T) {
	for name, test := range map[string]struct {
		fsys storage.FS
		want bool
	}{
		"memFS": {webdav.NewMemFS(), true},
		"Dir":   {webdav.Dir(t.TempDir()), false},
	} {
		for decorator, fsys := range map[string]storage.FS{
			"latency": latency.New(test.fsys, 1),
			"Fault":   &storagetest.Fault{FS: test.fsys},
		} {
			f, err := fsys.OpenFile(t.Context(), "/", os.O_RDONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, got := f.(webdav.DeadPropsHolder); got != test.want {
				t.Errorf("%s of %s: its file is a DeadPropsHolder: %t, want %t", decorator, name, got, test.want)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
