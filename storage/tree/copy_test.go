package tree_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// source is a collection. destinations are what an operation may find at its
// destination.
var (
	source       = layout{"/src/f": "one", "/src/d/g": "three", "/src/d/e/h": "seven77", "/src/empty": collection}
	destinations = []struct {
		name string
		old  layout
	}{
		{"nothing [RFC4918:S9.8.5]", layout{}},
		{"a file [RFC4918:S9.8.4]", layout{"/dst": "old"}},
		{"an empty collection [RFC4918:S9.8.4]", layout{"/dst": collection}},
		{"a full collection [RFC4918:S9.8.4]", layout{"/dst/f": "old", "/dst/d/g/deep": "old", "/dst/more/x": "old"}},
	}
)

func TestCopy(t *testing.T) {
	sources := []struct {
		name  string
		src   string
		depth int
		want  layout
		bytes int64
	}{
		{"a collection", "/src", tree.Infinite, source.full().below("/src"), 15},
		{"a collection alone [RFC4918:S9.8.3]", "/src", 0, layout{"": collection}, 0},
		{"an empty collection", "/src/empty", tree.Infinite, layout{"": collection}, 0},
		{"a file", "/src/f", tree.Infinite, layout{"": "one"}, 3},
		{"a file with depth 0", "/src/f", 0, layout{"": "one"}, 3},
	}
	for _, backend := range backends {
		for _, s := range sources {
			for _, d := range destinations {
				t.Run(backend.name+"/"+s.name+" onto "+d.name, func(t *testing.T) {
					fsys := backend.open(t)
					build(t, fsys, source)
					build(t, fsys, d.old)
					mon := new(tree.Monitor)
					noError(t, copyTree(t.Context(), fsys, s.src, "/dst", s.depth, mon))
					check(t, fsys, source.full().with("/dst", s.want))
					members := int64(len(s.want))
					if displaced := d.old.full(); displaced["/dst"] == collection || s.want[""] == collection {
						members += int64(len(displaced))
					}
					exact(t, mon, members, s.bytes)
				})
			}
		}
		t.Run(backend.name+"/nothing", func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, source)
			errorIs(t, copyTree(t.Context(), fsys, "/nothing", "/src", tree.Infinite, nil), fs.ErrNotExist)
			check(t, fsys, source.full())
		})
		t.Run(backend.name+"/into nothing [RFC4918:S9.8.5]", func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, source)
			for _, src := range []string{"/src", "/src/f"} {
				errorIs(t, copyTree(t.Context(), fsys, src, "/no/dst", tree.Infinite, nil), fs.ErrNotExist)
			}
			check(t, fsys, source.full())
		})
	}
}

func TestCopyTimesAndModes(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, source)
	modes := map[string]fs.FileMode{
		"src": 0o750, "src/f": 0o640, "src/d": 0o500, "src/d/g": 0o755, "src/d/e": 0o711, "src/d/e/h": 0o400,
	}
	past := time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
	for name, mode := range modes {
		file := filepath.Join(dir, name)
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, past, past); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { // lets an unprivileged user remove it
		_ = os.Chmod(filepath.Join(dir, "src/d"), 0o700)
	})
	noError(t, copyTree(t.Context(), fsys, "/src", "/dst", tree.Infinite, nil))
	for name, mode := range modes {
		info, err := os.Stat(filepath.Join(dir, "dst"+strings.TrimPrefix(name, "src")))
		noError(t, err)
		if info.IsDir() {
			mode |= 0o700
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s: mode %o, want %o", name, info.Mode().Perm(), mode)
		}
		if !info.ModTime().Equal(past) {
			t.Errorf("%s: modified %v, want %v", name, info.ModTime(), past)
		}
	}
}

func TestCopyDeadProps(t *testing.T) {
	fsys := webdav.NewMemFS()
	build(t, fsys, source)
	name := xml.Name{Space: "urn:x", Local: "colour"}
	for _, resource := range []string{"/src", "/src/f", "/src/d/e"} {
		f, err := fsys.OpenFile(t.Context(), resource, os.O_RDWR, 0)
		noError(t, err)
		holder, ok := f.(webdav.DeadPropsHolder)
		if !ok {
			t.Fatal("no dead properties")
		}
		_, err = holder.Patch([]webdav.Proppatch{{
			Props: []webdav.Property{{XMLName: name, InnerXML: []byte(resource)}},
		}})
		noError(t, err)
		noError(t, f.Close())
	}
	noError(t, copyTree(t.Context(), fsys, "/src", "/dst", tree.Infinite, nil))
	for resource, want := range map[string]string{
		"/dst": "/src", "/dst/f": "/src/f", "/dst/d/e": "/src/d/e", "/dst/d": "", "/dst/d/g": "", "/src/f": "/src/f",
	} {
		props, err := storage.ReadDeadProps(t.Context(), fsys, resource)
		noError(t, err)
		if got := string(props[name].InnerXML); got != want {
			t.Errorf("%s [RFC4918:S9.8.2]: property %q, want %q", resource, got, want)
		}
	}
}

func TestOverlapRefused(t *testing.T) {
	l := layout{"/a/f": "1", "/a/b/g": "2", "/a/b/c/h": "3", "/ab/i": "4", "/file": "5"}
	tests := []struct {
		name, src, dst string
		overlap        bool
	}{
		{"same collection [RFC4918:S9.8.5]", "/a", "/a", true},
		{"same file [RFC4918:S9.8.5]", "/file", "/file", true},
		{"onto a member", "/a", "/a/b", true},
		{"into itself", "/a", "/a/new", true},
		{"deep into itself", "/a", "/a/b/c/new", true},
		{"onto its parent", "/a/b", "/a", true},
		{"onto a grandparent", "/a/b/c", "/a", true},
		{"a file onto its parent", "/a/f", "/a", true},
		{"the root", "/", "/new", true},
		{"onto the root", "/a", "/", true},
		{"a file onto the root", "/file", "/", true},
		{"the root onto itself", "/", "/", true},
		{"a name that begins like the source's", "/a", "/ab", false},
		{"a name with which the source's begins", "/ab", "/a", false},
		{"a sibling that begins like the source's", "/a", "/a2", false},
	}
	ops := map[string]func(ctx context.Context, fsys storage.FS, src, dst string) error{
		"copy": func(ctx context.Context, fsys storage.FS, src, dst string) error {
			return copyTree(ctx, fsys, src, dst, tree.Infinite, nil)
		},
		"copy alone": func(ctx context.Context, fsys storage.FS, src, dst string) error {
			return copyTree(ctx, fsys, src, dst, 0, nil)
		},
		"move": func(ctx context.Context, fsys storage.FS, src, dst string) error {
			return moveTree(ctx, fsys, src, dst, nil)
		},
	}
	for _, backend := range backends {
		for opName, op := range ops {
			for _, tt := range tests {
				t.Run(backend.name+"/"+opName+"/"+tt.name, func(t *testing.T) {
					fsys := backend.open(t)
					build(t, fsys, l)
					if storage.Overlap(tt.src, tt.dst) != tt.overlap || storage.Overlap(tt.dst, tt.src) != tt.overlap {
						t.Errorf("Overlap(%q, %q) is not %t", tt.src, tt.dst, tt.overlap)
					}
					var calls atomic.Int64
					err := op(t.Context(), counted(fsys, "", &calls), tt.src, tt.dst)
					if !tt.overlap {
						noError(t, err)
						return
					}
					errorIs(t, err, storage.ErrOverlap)
					if n := calls.Load(); n > 0 {
						t.Errorf("%d calls of the backend", n)
					}
					check(t, fsys, l.full())
				})
			}
		}
	}
}

func TestCopyPartly(t *testing.T) {
	errBad := errors.New("bad")
	tests := []struct {
		name string
		op   string
		err  error
		// failed names the members below the source that fail.
		failed []string
		// missing names those that the copy lacks.
		missing []string
	}{
		{"a file that can't be read [RFC4918:S9.8.3]", "open", fs.ErrPermission, []string{"/f"}, []string{"/f"}},
		{"a file that breaks", "read", syscall.EIO, []string{"/d/g"}, []string{"/d/g"}},
		{"two files that can't be read", "open", errBad, []string{"/f", "/d/e/h"}, []string{"/f", "/d/e/h"}},
		{"a collection that can't be listed [RFC4918:S9.8.3]", "readdir", fs.ErrPermission, []string{"/d"}, []string{"/d"}},
		{"an empty collection that can't be listed", "readdir", errBad, []string{"/empty"}, []string{"/empty"}},
	}
	for _, backend := range backends {
		for _, tt := range tests {
			for _, d := range destinations {
				t.Run(backend.name+"/"+tt.name+" onto "+d.name, func(t *testing.T) {
					fsys := backend.open(t)
					build(t, fsys, source)
					build(t, fsys, d.old)
					var names []string
					for _, name := range tt.failed {
						names = append(names, "/src"+name)
					}
					mon := watchedMonitor()
					err := copyTree(t.Context(), failing(fsys, tt.err, tt.op, names...), "/src", "/dst", tree.Infinite, mon)
					failed(t, err, tt.err, names...)
					want := source.full().replaced("/src", "/dst")
					for _, name := range tt.missing {
						want = want.without("/dst" + name)
					}
					check(t, fsys, want)
					if p := mon.Snapshot(); p.Done != p.Known {
						t.Errorf("%d of %d done", p.Done, p.Known)
					}
				})
			}
		}
	}
}

// Copying the properties of a member can fail when its content is already copied. The
// member is then reported, and its content may or may not be in the copy.
func TestCopyPropertiesPartly(t *testing.T) {
	for _, op := range []string{"readdeadprops", "settimes"} {
		fsys, _ := newLocal(t)
		build(t, fsys, source)
		bad := &storagetest.Fault{FS: fsys, Before: func(o, name string) error {
			if makes(o, op) && strings.HasSuffix(name, "/g") {
				return syscall.EIO
			}
			return nil
		}}
		failed(t, copyTree(t.Context(), bad, "/src", "/dst", tree.Infinite, nil), syscall.EIO, "/src/d/g")
		if got := snapshot(t, fsys).without("/dst/d/g"); diff(got, source.full().replaced("/src", "/dst").without("/dst/d/g")) != "" {
			t.Errorf("%s: %v", op, got)
		}
	}
}

func TestCopyRootFails(t *testing.T) {
	for _, backend := range backends {
		for _, op := range []string{"stat", "open", "readdir", "readdeadprops", "read"} {
			for _, src := range []string{"/src", "/src/f"} {
				if (op == "readdir") != (src == "/src") && op != "stat" && op != "readdeadprops" {
					continue
				}
				for _, d := range destinations {
					t.Run(backend.name+"/"+op+" "+src+" onto "+d.name, func(t *testing.T) {
						fsys := backend.open(t)
						build(t, fsys, source)
						build(t, fsys, d.old)
						err := copyTree(t.Context(), failing(fsys, syscall.EIO, op, src), src, "/dst", tree.Infinite, nil)
						errorIs(t, err, syscall.EIO)
						check(t, fsys, source.full().with("", d.old.full()))
					})
				}
			}
		}
	}
}

func TestCopyEnds(t *testing.T) {
	big := layout{"/src/a": "1", "/src/big": strings.Repeat("0123456789abcdef", 3<<20), "/src/z": "2"}
	for _, backend := range backends {
		for _, d := range destinations {
			for _, errno := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
				t.Run(backend.name+"/"+errno.Error()+" onto "+d.name, func(t *testing.T) {
					fsys := backend.open(t)
					build(t, fsys, source)
					build(t, fsys, d.old)
					full := &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
						if makes(op, "write") && strings.HasSuffix(name, "/h") {
							return &fs.PathError{Op: "write", Path: name, Err: errno}
						}
						return nil
					}}
					err := copyTree(t.Context(), full, "/src", "/dst", tree.Infinite, nil)
					errorIs(t, err, errno)
					check(t, fsys, source.full().with("", d.old.full()))
				})
			}
			t.Run(backend.name+"/ctx between files onto "+d.name, func(t *testing.T) {
				fsys := backend.open(t)
				build(t, fsys, source)
				build(t, fsys, d.old)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := copyTree(ctx, before(fsys, "open", "/src/d/g", cancel), "/src", "/dst", tree.Infinite, nil)
				errorIs(t, err, context.Canceled)
				check(t, fsys, source.full().with("", d.old.full()))
			})
		}
		t.Run(backend.name+"/ctx in a big file", func(t *testing.T) {
			fsys := backend.open(t)
			old := layout{"/dst/big": "old", "/dst/other": "old"}
			build(t, fsys, big)
			build(t, fsys, old)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			writes := 0
			mid := &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
				if makes(op, "write") && strings.HasSuffix(name, "/big") {
					if writes++; writes == 2 || op == "copymembers" {
						cancel()
					}
				}
				return nil
			}}
			mon := new(tree.Monitor)
			err := copyTree(ctx, mid, "/src", "/dst", tree.Infinite, mon)
			errorIs(t, err, context.Canceled)
			check(t, fsys, big.full().with("", old.full()))
			if p := mon.Snapshot(); p.Bytes >= int64(len(big["/src/big"])) {
				t.Errorf("%d bytes were written all the same", p.Bytes)
			}
		})
		t.Run(backend.name+"/ctx has ended before", func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, source)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			errorIs(t, copyTree(ctx, fsys, "/src", "/dst", tree.Infinite, nil), context.Canceled)
			errorIs(t, moveTree(ctx, fsys, "/src", "/dst", nil), context.Canceled)
			errorIs(t, removeTree(ctx, fsys, "/src", nil), context.Canceled)
			check(t, fsys, source.full())
		})
	}
}

func TestCopyVanishing(t *testing.T) {
	for _, backend := range backends {
		tests := []struct {
			name, gone string
			want       layout
		}{
			{"a file", "/src/d/g", source.full().without("/src/d/g")},
			{"a collection", "/src/d", source.full().without("/src/d")},
		}
		for _, tt := range tests {
			t.Run(backend.name+"/"+tt.name, func(t *testing.T) {
				fsys := backend.open(t)
				build(t, fsys, source)
				// Listing a collection also opens it.
				vanishing := before(fsys, "open", tt.gone, func() {
					noError(t, fsys.RemoveAll(context.Background(), tt.gone))
				})
				noError(t, copyTree(t.Context(), vanishing, "/src", "/dst", tree.Infinite, nil))
				check(t, fsys, tt.want.replaced("/src", "/dst"))
			})
		}
		// A source that has vanished can't be skipped like a member: half a copy must
		// not replace the content of the destination.
		for _, when := range []struct{ op, name string }{
			{"open", "/src"}, {"open", "/src/d/g"}, {"open", "/src/f"}, {"readdeadprops", "/src"},
		} {
			t.Run(backend.name+"/the source before "+when.op+" of "+when.name, func(t *testing.T) {
				fsys := backend.open(t)
				old := layout{"/dst/f": "old"}
				build(t, fsys, source)
				build(t, fsys, old)
				vanishing := before(fsys, when.op, when.name, func() {
					noError(t, fsys.RemoveAll(context.Background(), "/src"))
				})
				err := copyTree(t.Context(), vanishing, "/src", "/dst", tree.Infinite, nil)
				if when.op == "readdeadprops" && err == nil { // Everything was read before that.
					return
				}
				errorIs(t, err, fs.ErrNotExist)
				if err != nil && storage.Reserved(err.Error()) {
					t.Errorf("error %v names a reserved name", err)
				}
				check(t, fsys, old.full())
			})
		}
		t.Run(backend.name+"/the source, a file", func(t *testing.T) {
			fsys := backend.open(t)
			old := layout{"/dst/f": "old"}
			build(t, fsys, source)
			build(t, fsys, old)
			vanishing := before(fsys, "open", "/src/f", func() {
				noError(t, fsys.RemoveAll(context.Background(), "/src/f"))
			})
			err := copyTree(t.Context(), vanishing, "/src/f", "/dst", tree.Infinite, nil)
			errorIs(t, err, fs.ErrNotExist)
			if err != nil && storage.Reserved(err.Error()) {
				t.Errorf("error %v names a reserved name", err)
			}
			check(t, fsys, source.full().without("/src/f").with("", old.full()))
		})
	}
}

func TestCopyLinks(t *testing.T) {
	newShare := func(t *testing.T) (storage.FS, string) {
		fsys, dir := newLocal(t)
		build(t, fsys, layout{"/src/f": "1", "/b/g": "2", "/b/d/h": "3"})
		return fsys, dir
	}
	copied := layout{"": collection, "/f": "1"}

	t.Run("content is copied", func(t *testing.T) {
		fsys, dir := newShare(t)
		symlink(t, dir, "src/filelink", "../b/g")
		symlink(t, dir, "src/dirlink", "../b")
		symlink(t, dir, "src/dangling", "nowhere")
		symlink(t, dir, "src/out", t.TempDir())
		mkfifo(t, dir, "src/fifo")
		build(t, fsys, layout{"/src/.davd-x/f": "reserved"})
		noError(t, copyTree(t.Context(), fsys, "/src", "/dst", tree.Infinite, nil))
		got := snapshot(t, fsys).below("/dst")
		want := copied.with("", layout{
			"/filelink": "2", "/dirlink": collection, "/dirlink/g": "2", "/dirlink/d": collection, "/dirlink/d/h": "3",
		})
		if d := diff(got, want); d != "" {
			t.Errorf("wrong copy:%s", d)
		}
	})
	t.Run("the source is a link to a collection", func(t *testing.T) {
		fsys, dir := newShare(t)
		symlink(t, dir, "link", "b")
		noError(t, copyTree(t.Context(), fsys, "/link", "/dst", tree.Infinite, nil))
		l := snapshot(t, fsys)
		if d := diff(l.below("/dst"), l.below("/b")); d != "" {
			t.Errorf("wrong copy:%s", d)
		}
	})
	t.Run("the source is a FIFO", func(t *testing.T) {
		fsys, dir := newShare(t)
		mkfifo(t, dir, "fifo")
		was := snapshot(t, fsys)
		errorIs(t, copyTree(t.Context(), fsys, "/fifo", "/dst", tree.Infinite, nil), fs.ErrNotExist)
		check(t, fsys, was)
	})
	t.Run("the destination is a link to a collection", func(t *testing.T) {
		for _, src := range []string{"/src", "/src/f"} {
			fsys, dir := newShare(t)
			symlink(t, dir, "link", "b")
			was := snapshot(t, fsys)
			noError(t, copyTree(t.Context(), fsys, src, "/link", tree.Infinite, nil))
			check(t, fsys, was.replaced(src, "/link"))
		}
	})
	t.Run("a collection onto a link to it", func(t *testing.T) {
		fsys, dir := newShare(t)
		symlink(t, dir, "link", "b")
		was := snapshot(t, fsys)
		noError(t, copyTree(t.Context(), fsys, "/b", "/link", tree.Infinite, nil))
		check(t, fsys, was.replaced("/b", "/link"))
	})
	t.Run("a link onto what it leads to", func(t *testing.T) {
		fsys, dir := newShare(t)
		symlink(t, dir, "link", "b")
		was := snapshot(t, fsys)
		noError(t, copyTree(t.Context(), fsys, "/link", "/b", tree.Infinite, nil))
		check(t, fsys, was)
	})
	t.Run("into itself through a link", func(t *testing.T) {
		fsys, dir := newShare(t)
		symlink(t, dir, "link", "b")
		was := snapshot(t, fsys)
		noError(t, copyTree(t.Context(), fsys, "/b", "/link/new", tree.Infinite, nil))
		check(t, fsys, was.replaced("/b", "/b/new"))
	})
	for name, target := range map[string]string{
		"its own collection": ".", "the source": "..", "what holds the source": "../..",
	} {
		t.Run("a loop to "+name, func(t *testing.T) {
			fsys, dir := newShare(t)
			mkdir(t, fsys, "/src/d")
			symlink(t, dir, "src/d/loop", target)
			failed(t, copyTree(t.Context(), fsys, "/src", "/dst", tree.Infinite, nil), storage.ErrLoop, "/src/d/loop")
			if d := diff(snapshot(t, fsys).below("/dst"), copied.with("", layout{"/d": collection})); d != "" {
				t.Errorf("wrong copy:%s", d)
			}
		})
	}
}

// x/net's own directory has no Lstat.
func TestCopyOntoLinkOfWebdavDir(t *testing.T) {
	for _, src := range []string{"/src", "/src/f"} {
		dir := t.TempDir()
		fsys := webdav.Dir(dir)
		build(t, fsys, layout{"/src/f": "1", "/b/g": "2"})
		symlink(t, dir, "link", "b")
		was := snapshot(t, fsys)
		noError(t, copyTree(t.Context(), fsys, src, "/link", tree.Infinite, nil))
		check(t, fsys, was.replaced(src, "/link"))
	}
}

// A copy that fails must not report a part of it as done, even if the remains can't be
// removed.
func TestCopyLeavesRemains(t *testing.T) {
	fsys, _ := newLocal(t)
	old := layout{"/dst": "old"}
	build(t, fsys, source)
	build(t, fsys, old)
	bad := &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
		switch {
		case makes(op, "open") && name == "/src/d/e/h":
			return syscall.ENOSPC
		case op == "remove":
			return syscall.EBUSY
		}
		return nil
	}}
	errorIs(t, copyTree(t.Context(), bad, "/src", "/dst", tree.Infinite, nil), syscall.ENOSPC)
	if d := diff(snapshot(t, fsys).seen(), source.full().with("", old.full())); d != "" {
		t.Errorf("wrong tree:%s", d)
	}
}

// A displaced tree that can't be removed is named in the error.
func TestCopyLeftover(t *testing.T) {
	for _, backend := range backends {
		t.Run(backend.name, func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, source)
			build(t, fsys, layout{"/dst/f": "old"})
			bad := &storagetest.Fault{FS: fsys, Before: func(op, _ string) error {
				if op == "remove" {
					return syscall.EBUSY
				}
				return nil
			}}
			err := copyTree(t.Context(), bad, "/src", "/dst", tree.Infinite, nil)
			leftover := (*tree.LeftoverError)(nil)
			if !errors.As(err, &leftover) {
				t.Fatalf("error %v, want a LeftoverError", err)
			}
			l := snapshot(t, fsys)
			if d := diff(l.below(leftover.Name), layout{"": collection, "/f": "old"}); d != "" {
				t.Errorf("wrong leftover:%s", d)
			}
			if d := diff(l.seen(), source.full().replaced("/src", "/dst")); d != "" {
				t.Errorf("wrong tree:%s", d)
			}
		})
	}
}

func TestCopyRandomContent(t *testing.T) {
	for _, backend := range backends {
		fsys := backend.open(t)
		l, random := layout{}, rand.New(rand.NewPCG(1, 2))
		for _, size := range []int{0, 1, 4095, 4096, 1<<20 + 1, 17 << 20} {
			content := make([]byte, size)
			for i := 0; i+8 <= size; i += 8 {
				content[i] = byte(random.Uint64())
			}
			l["/src/"+time.Duration(size).String()] = string(content)
		}
		build(t, fsys, l)
		mon := new(tree.Monitor)
		noError(t, copyTree(t.Context(), fsys, "/src", "/dst", tree.Infinite, mon))
		check(t, fsys, l.full().replaced("/src", "/dst"))
		if p := mon.Snapshot(); p.Bytes != p.KnownBytes || p.Bytes < 18<<20 {
			t.Errorf("%d of %d bytes", p.Bytes, p.KnownBytes)
		}
	}
}

// A leftover must not hide that a member failed.
func TestCopyPartlyWithLeftover(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, source)
	build(t, fsys, layout{"/dst/f": "old"})
	bad := failing(&storagetest.Fault{FS: fsys, Before: func(op, _ string) error {
		if op == "remove" {
			return syscall.EBUSY
		}
		return nil
	}}, fs.ErrPermission, "open", "/src/d/g")
	failed(t, copyTree(t.Context(), bad, "/src", "/dst", tree.Infinite, nil), fs.ErrPermission, "/src/d/g")
}
