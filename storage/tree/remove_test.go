package tree_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

func TestRemove(t *testing.T) {
	l := layout{"/c/f": "1", "/c/d/g": "2", "/c/d/e/h": "3", "/c/empty": collection, "/cc/f": "4", "/other": "5"}
	tests := []struct {
		name    string
		remove  string
		members int64
	}{
		{"a collection with its members [RFC4918:S9.6.1]", "/c", 7},
		{"a collection inside", "/c/d", 4},
		{"an empty collection", "/c/empty", 1},
		{"a file [RFC4918:S9.6]", "/c/f", 1},
	}
	for _, backend := range backends {
		for _, tt := range tests {
			t.Run(backend.name+"/"+tt.name, func(t *testing.T) {
				fsys := backend.open(t)
				build(t, fsys, l)
				mon := new(tree.Monitor)
				noError(t, removeTree(t.Context(), fsys, tt.remove, mon))
				check(t, fsys, l.full().without(tt.remove))
				exact(t, mon, tt.members, 0)
			})
		}
		t.Run(backend.name+"/nothing", func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, l)
			errorIs(t, removeTree(t.Context(), fsys, "/nothing", nil), fs.ErrNotExist)
			check(t, fsys, l.full())
		})
	}
}

func TestRemoveLinks(t *testing.T) {
	tests := []struct {
		name   string
		remove string
		left   layout
	}{
		{"a link to a collection", "/c/dirlink", layout{"/c/filelink": link, "/c/dangling": link, "/c/out": link, "/c/fifo": special}},
		{"a link to a file", "/c/filelink", layout{"/c/dirlink": link, "/c/dangling": link, "/c/out": link, "/c/fifo": special}},
		{"a link that leads nowhere", "/c/dangling", layout{"/c/filelink": link, "/c/dirlink": link, "/c/out": link, "/c/fifo": special}},
		{"a link out of the share", "/c/out", layout{"/c/filelink": link, "/c/dirlink": link, "/c/dangling": link, "/c/fifo": special}},
		{"a collection of links and a FIFO", "/c", layout{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys, dir := newLocal(t)
			target := layout{"/b/f": "1", "/b/d/g": "2"}
			build(t, fsys, target)
			mkdir(t, fsys, "/c")
			outside := t.TempDir()
			if err := os.WriteFile(filepath.Join(outside, "precious"), []byte("3"), 0o600); err != nil {
				t.Fatal(err)
			}
			symlink(t, dir, "c/dirlink", "../b")
			symlink(t, dir, "c/filelink", "../b/f")
			symlink(t, dir, "c/dangling", "nowhere")
			symlink(t, dir, "c/out", outside)
			mkfifo(t, dir, "c/fifo")
			noError(t, removeTree(t.Context(), fsys, tt.remove, nil))
			check(t, fsys, target.full().with("", tt.left.full()))
			if _, err := os.Stat(filepath.Join(outside, "precious")); err != nil {
				t.Errorf("outside the share: %v", err)
			}
		})
	}
}

// x/net's own directory tells links from their targets only in a listing.
func TestRemoveLinksOfWebdavDir(t *testing.T) {
	tests := []struct {
		name   string
		link   string
		target string
		remove string
		left   layout
	}{
		{"a link to a collection", "link", "b", "/link", layout{"/b/f": "1", "/c/x": "2"}},
		{"a collection that holds a link to a collection", "c/link", "../b", "/c", layout{"/b/f": "1"}},
		{"a collection that holds a link that leads nowhere", "c/link", "nowhere", "/c", layout{"/b/f": "1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			fsys := webdav.Dir(dir)
			build(t, fsys, layout{"/b/f": "1", "/c/x": "2"})
			symlink(t, dir, tt.link, tt.target)
			if err := removeTree(t.Context(), fsys, tt.remove, nil); err != nil {
				t.Errorf("error %v", err)
			}
			check(t, fsys, tt.left.full())
		})
	}
}

func TestRemovePartly(t *testing.T) {
	l := layout{"/c/a": "1", "/c/d/f": "2", "/c/d/g": "3", "/c/d/e/h": "4", "/c/i": "5"}
	errBad := errors.New("bad")
	tests := []struct {
		name   string
		op     string
		failed []string
		err    error
		left   layout
	}{
		{
			"a member that can't be removed [RFC4918:S9.6.1]", "remove",
			[]string{"/c/d/f"},
			errBad,
			layout{"/c/d/f": "2"},
		},
		{
			"two members that can't be removed", "remove",
			[]string{"/c/d/f", "/c/i"},
			fs.ErrPermission,
			layout{"/c/d/f": "2", "/c/i": "5"},
		},
		{
			"an empty collection that can't be removed", "remove",
			[]string{"/c/d/e"},
			syscall.EBUSY,
			layout{"/c/d/e": collection},
		},
		{
			"a collection that can't be listed", "readdir",
			[]string{"/c/d/e"},
			syscall.EIO,
			layout{"/c/d/e/h": "4"},
		},
		{
			"a root that can't be removed", "remove",
			[]string{"/c"},
			syscall.EBUSY,
			layout{"/c": collection},
		},
		{
			"a root that can't be listed", "readdir",
			[]string{"/c"},
			syscall.EIO, l,
		},
	}
	for _, backend := range backends {
		for _, tt := range tests {
			t.Run(backend.name+"/"+tt.name, func(t *testing.T) {
				fsys := backend.open(t)
				build(t, fsys, l)
				mon, taken := recorded()
				err := removeTree(t.Context(), failing(fsys, tt.err, tt.op, tt.failed...), "/c", mon)
				failed(t, err, tt.err, tt.failed...)
				check(t, fsys, tt.left.full())
				found := int64(len(l.full()))
				if tt.op == "readdir" { // Members that were not listed are not known.
					found -= int64(len(l.full().below(tt.failed[0]))) - 1
				}
				exact(t, mon, found, 0)
				named := 0
				for _, o := range taken.Take() {
					if o.Err != nil {
						named++
					}
				}
				if named != len(tt.failed) {
					t.Errorf("%d failures reported, want %d", named, len(tt.failed))
				}
			})
		}
	}
}

func TestRemoveImmutable(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, layout{"/c/a": "1", "/c/d/f": "2", "/c/d/g": "3"})
	file := filepath.Join(dir, "c/d/f")
	out, err := exec.Command("chattr", "+i", file).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) && runtime.GOOS == "linux" {
		t.Fatal("chattr is missing: run .ci/deps")
	}
	if err != nil {
		t.Skipf("chattr: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("chattr", "-i", file).Run() })
	failed(t, removeTree(t.Context(), fsys, "/c", nil), fs.ErrPermission, "/c/d/f")
	check(t, fsys, layout{"/c/d/f": "2"}.full())
}

func TestRemoveVanishing(t *testing.T) {
	for _, backend := range backends {
		for op, name := range map[string]string{"remove": "/c/d/f", "readdir": "/c/d"} {
			t.Run(backend.name+"/before "+op, func(t *testing.T) {
				fsys := backend.open(t)
				build(t, fsys, layout{"/c/a": "1", "/c/d/f": "2"})
				mon, taken := recorded()
				noError(t, removeTree(t.Context(), before(fsys, op, name, func() {
					noError(t, fsys.RemoveAll(context.Background(), name))
				}), "/c", mon))
				check(t, fsys, layout{})
				if p := mon.Snapshot(); p.Done != p.Known {
					t.Errorf("%d of %d done", p.Done, p.Known)
				}
				for _, o := range taken.Take() {
					if o.Err != nil {
						t.Errorf("outcome %v", o)
					}
				}
			})
		}
	}
}

// A member that is created while its collection is being removed stays.
func TestRemoveNewcomer(t *testing.T) {
	for _, backend := range backends {
		t.Run(backend.name, func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, layout{"/c/d/f": "1"})
			err := removeTree(t.Context(), before(fsys, "remove", "/c/d/f", func() {
				build(t, fsys, layout{"/c/d/new": "2"})
			}), "/c", nil)
			failed(t, err, fs.ErrExist, "/c/d")
			check(t, fsys, layout{"/c/d/new": "2"}.full())
		})
	}
}

func TestRemoveEnds(t *testing.T) {
	l := layout{"/c/a": "1", "/c/d/f": "2", "/c/d/g": "3", "/c/d/e/h": "4", "/c/i": "5"}
	for _, backend := range backends {
		t.Run(backend.name+"/with ctx", func(t *testing.T) {
			for name := range l.full() {
				fsys := backend.open(t)
				build(t, fsys, l)
				ctx, cancel := context.WithCancel(t.Context())
				err := removeTree(ctx, before(fsys, "remove", name, cancel), "/c", nil)
				cancel()
				left := snapshot(t, fsys)
				if err == nil && len(left) == 0 {
					continue // It ended too late.
				}
				errorIs(t, err, context.Canceled)
				if left["/c"] != collection {
					t.Errorf("/c is gone after the end at %s", name)
				}
			}
		})
		t.Run(backend.name+"/with what concerns the rest too", func(t *testing.T) {
			fsys := backend.open(t)
			l := many("/c", 2000)
			build(t, fsys, l)
			var calls atomic.Int64
			full := &storagetest.Fault{FS: fsys, Before: func(op, _ string) error {
				if op == "remove" {
					return syscall.EROFS
				}
				return nil
			}}
			err := removeTree(t.Context(), counted(full, "remove", &calls), "/c", nil)
			errorIs(t, err, syscall.EROFS)
			if n := calls.Load(); n > maxWorkers {
				t.Errorf("%d attempts, want one of each worker", n)
			}
			check(t, fsys, l.full())
		})
	}
}

func TestRemoveRoot(t *testing.T) {
	for _, backend := range backends {
		t.Run(backend.name, func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, layout{"/c/f": "1"})
			if err := removeTree(t.Context(), fsys, "/", nil); err == nil {
				t.Error("no error")
			}
			if _, err := storage.Lstat(t.Context(), fsys, "/"); err != nil {
				t.Errorf("the root: %v", err)
			}
		})
	}
}
