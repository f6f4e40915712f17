package tree_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// renamings are reasons why a backend may be unable to rename.
var renamings = []struct {
	name string
	of   func(fsys storage.FS) storage.FS
}{
	{"rename", func(fsys storage.FS) storage.FS { return fsys }},
	{"EXDEV between the two", func(fsys storage.FS) storage.FS {
		return unrenaming(fsys, syscall.EXDEV, func(_, name string) bool { return !storage.Reserved(name) && name != "/dst" })
	}},
	{"no rename of old names", func(fsys storage.FS) storage.FS { // like an overlay filesystem
		return unrenaming(fsys, syscall.EXDEV, func(op, name string) bool { return op == "exchange" || !storage.Reserved(name) })
	}},
	{"no rename", func(fsys storage.FS) storage.FS {
		return unrenaming(fsys, errors.ErrUnsupported, func(_, _ string) bool { return true })
	}},
	{"no exchange", func(fsys storage.FS) storage.FS {
		return unrenaming(fsys, errors.ErrUnsupported, func(op, _ string) bool { return op == "exchange" })
	}},
}

// unrenaming returns fsys with err for each rename and exchange for whose first name
// fails returns true.
func unrenaming(fsys storage.FS, err error, fails func(op, name string) bool) storage.FS {
	return &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
		if (op == "rename" || op == "exchange") && fails(op, name) {
			return &os.LinkError{Op: op, Old: name, Err: err}
		}
		return nil
	}}
}

func TestMove(t *testing.T) {
	for _, backend := range backends {
		for _, renaming := range renamings {
			for _, src := range []string{"/src", "/src/f", "/src/empty"} {
				for _, d := range destinations {
					t.Run(backend.name+"/"+renaming.name+"/"+src+" onto "+d.name, func(t *testing.T) {
						fsys := backend.open(t)
						build(t, fsys, source)
						build(t, fsys, d.old)
						mon, taken := recorded()
						noError(t, moveTree(t.Context(), renaming.of(fsys), src, "/dst", mon))
						check(t, fsys, source.full().replaced(src, "/dst").without(src))
						if p := mon.Snapshot(); p.Known > 0 && p.Done != p.Known || p.Bytes != p.KnownBytes || p.Done == 0 {
							t.Errorf("progress %+v", p)
						}
						outcomes := taken.Take()
						if len(outcomes) == 0 || outcomes[len(outcomes)-1] != (tree.Outcome{Name: src}) {
							t.Errorf("outcomes %v, want %s last", outcomes, src)
						}
						for _, o := range outcomes {
							if o.Err != nil || storage.Reserved(o.Name) {
								t.Errorf("outcome %v", o)
							}
						}
					})
				}
			}
		}
	}
}

func TestMoveRefused(t *testing.T) {
	for _, backend := range backends {
		for _, d := range destinations {
			fsys := backend.open(t)
			build(t, fsys, source)
			build(t, fsys, d.old)
			was := source.full().with("", d.old.full())
			errorIs(t, moveTree(t.Context(), fsys, "/nothing", "/dst", nil), fs.ErrNotExist)
			errorIs(t, moveTree(t.Context(), fsys, "/src", "/no/dst", nil), fs.ErrNotExist)
			errorIs(t, moveTree(t.Context(), fsys, "/", "/dst", nil), storage.ErrOverlap)
			errorIs(t, moveTree(t.Context(), fsys, "/src", "/", nil), storage.ErrOverlap)
			check(t, fsys, was)
		}
	}
}

// A move on one disk does not copy.
func TestMoveIsRename(t *testing.T) {
	for _, d := range destinations {
		for _, src := range []string{"/src", "/src/f"} {
			fsys, dir := newLocal(t)
			build(t, fsys, source)
			build(t, fsys, d.old)
			was, err := os.Stat(filepath.Join(dir, src))
			noError(t, err)
			noError(t, moveTree(t.Context(), fsys, src, "/dst", nil))
			is, err := os.Stat(filepath.Join(dir, "dst"))
			noError(t, err)
			if !os.SameFile(was, is) {
				t.Errorf("%s onto %s: another file", src, d.name)
			}
		}
	}
}

// rename(2) does nothing if both names belong to one file.
func TestMoveHardLink(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, layout{"/a": "1"})
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Skip(err)
	}
	noError(t, moveTree(t.Context(), fsys, "/a", "/b", nil))
	check(t, fsys, layout{"/b": "1"})
}

func TestMoveCantCopy(t *testing.T) {
	for _, backend := range backends {
		for _, renaming := range renamings[1:4] {
			for _, d := range destinations {
				t.Run(backend.name+"/"+renaming.name+" onto "+d.name, func(t *testing.T) {
					fsys := backend.open(t)
					build(t, fsys, source)
					build(t, fsys, d.old)
					was := source.full().with("", d.old.full())

					bad := renaming.of(failing(fsys, fs.ErrPermission, "open", "/src/f", "/src/d/g"))
					failed(t, moveTree(t.Context(), bad, "/src", "/dst", nil), fs.ErrPermission, "/src/f", "/src/d/g")
					check(t, fsys, was)

					bad = renaming.of(failing(fsys, syscall.EIO, "open", "/src"))
					errorIs(t, moveTree(t.Context(), bad, "/src", "/dst", nil), syscall.EIO)
					check(t, fsys, was)

					bad = renaming.of(failing(fsys, syscall.ENOSPC, "open", "/src/d/g"))
					errorIs(t, moveTree(t.Context(), bad, "/src", "/dst", nil), syscall.ENOSPC)
					check(t, fsys, was)

					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					bad = renaming.of(before(fsys, "open", "/src/d/g", cancel))
					errorIs(t, moveTree(ctx, bad, "/src", "/dst", nil), context.Canceled)
					check(t, fsys, was)
				})
			}
		}
	}
}

func TestMoveCantRemoveSource(t *testing.T) {
	for _, backend := range backends {
		for _, renaming := range renamings[1:4] {
			for _, d := range destinations {
				t.Run(backend.name+"/"+renaming.name+" onto "+d.name, func(t *testing.T) {
					fsys := backend.open(t)
					build(t, fsys, source)
					build(t, fsys, d.old)
					bad := renaming.of(failing(fsys, fs.ErrPermission, "remove", "/src/d/g"))
					failed(t, moveTree(t.Context(), bad, "/src", "/dst", nil), fs.ErrPermission, "/src/d/g")
					check(t, fsys, layout{"/src/d/g": "three"}.full().with("/dst", source.full().below("/src")))
				})
			}
		}
	}
}

// If ctx ends once the destination is in place, the source is removed all the same.
func TestMoveEndsLate(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, source)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	late := renamings[1].of(before(fsys, "remove", "/src/f", cancel))
	noError(t, moveTree(ctx, late, "/src", "/dst", nil))
	check(t, fsys, source.full().replaced("/src", "/dst").without("/src"))
}

// If another process removes the source first, the move is complete.
func TestMoveSourceVanishesLate(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, source)
	lstats := 0
	late := renamings[1].of(&storagetest.Fault{FS: fsys, Before: func(op, name string) error {
		if op == "lstat" && name == "/src" {
			if lstats++; lstats == 2 {
				return fsys.RemoveAll(context.Background(), "/src")
			}
		}
		return nil
	}})
	if err := moveTree(t.Context(), late, "/src", "/dst", nil); err != nil {
		t.Errorf("error %v", err)
	}
	check(t, fsys, source.full().replaced("/src", "/dst").without("/src"))
}

// Members that were created in the source too late to be copied are not removed.
func TestMoveNewcomer(t *testing.T) {
	for _, backend := range backends {
		for _, renaming := range renamings[1:4] {
			t.Run(backend.name+"/"+renaming.name, func(t *testing.T) {
				fsys := backend.open(t)
				build(t, fsys, source)
				late := renaming.of(before(fsys, "readdeadprops", "/src", func() {
					build(t, fsys, layout{"/src/d/new": "1", "/src/e/new": "2"})
				}))
				failed(t, moveTree(t.Context(), late, "/src", "/dst", nil), fs.ErrExist, "/src/d/new", "/src/e")
				check(t, fsys, layout{"/src/d/new": "1", "/src/e/new": "2"}.full().with("/dst", source.full().below("/src")))
			})
		}
	}
}

// Symbolic links are where a move can lose data.
func TestMoveLinks(t *testing.T) {
	l := layout{"/b/f": "1", "/b/x/x/g": "2", "/c/d/h": "3", "/c/i": "4"}
	tests := []struct {
		name     string
		links    map[string]string
		src, dst string
		// moved is where the content was that dst must then have. It is "" if an error
		// is acceptable too, as long as nothing is lost.
		moved string
	}{
		{"a link onto nothing", map[string]string{"link": "b"}, "/link", "/new", "/b"},
		{"a relative link into another collection", map[string]string{"link": "b"}, "/link", "/c/new", "/b"},
		{"a relative link to a file into another collection", map[string]string{"link": "b/f"}, "/link", "/c/new", "/b/f"},
		{"a link onto a file", map[string]string{"link": "b"}, "/link", "/c/i", "/b"},
		{"a link onto its target", map[string]string{"link": "b"}, "/link", "/b", "/b"},
		{"a link onto its target, a file", map[string]string{"link": "b/f"}, "/link", "/b/f", "/b/f"},
		{"a link onto the parent of its target", map[string]string{"link": "c/d"}, "/link", "/c", "/c/d"},
		{"a link onto a member of its target", map[string]string{"link": "b"}, "/link", "/b/x", "/b"},
		{"a collection onto a link to it", map[string]string{"link": "b"}, "/b", "/link", "/b"},
		{"a file onto a link to it", map[string]string{"link": "b/f"}, "/b/f", "/link", "/b/f"},
		{"a collection onto a link to its member", map[string]string{"link": "b/x"}, "/b", "/link", "/b"},
		{"a collection onto a link to another", map[string]string{"link": "c"}, "/b", "/link", "/b"},
		{"a link onto another", map[string]string{"link": "b", "link2": "c"}, "/link", "/link2", "/b"},
		{"a link onto a link to it", map[string]string{"link": "b", "link2": "link"}, "/link", "/link2", "/b"},
		{"a link onto its target, a link", map[string]string{"link": "b", "link2": "link"}, "/link2", "/link", "/b"},
		{"a member through a link onto the target of the link", map[string]string{"link": "b"}, "/link/x", "/b", ""},
		{"a collection through a link onto itself", map[string]string{"link": "b"}, "/link/x", "/b/x", ""},
		{"a collection onto itself through a link", map[string]string{"link": "b"}, "/b/x", "/link/x", ""},
		{"a file through a link onto itself", map[string]string{"link": "b"}, "/link/f", "/b/f", ""},
		{"a file onto itself through a link", map[string]string{"link": "b"}, "/b/f", "/link/f", ""},
		{"a collection into itself through a link", map[string]string{"link": "b"}, "/b", "/link/new", ""},
		{"a collection deep into itself through a link", map[string]string{"link": "b/x"}, "/b", "/link/new", ""},
		{"a collection onto its member through a link", map[string]string{"link": "b"}, "/b", "/link/x", ""},
	}
	for _, renaming := range append(slices.Clone(renamings[:1]), renamings[2:]...) {
		for _, tt := range tests {
			t.Run(renaming.name+"/"+tt.name, func(t *testing.T) {
				fsys, dir := newLocal(t)
				build(t, fsys, l)
				for name, target := range tt.links {
					symlink(t, dir, name, target)
				}
				was := snapshot(t, fsys)
				err := moveTree(t.Context(), renaming.of(fsys), tt.src, tt.dst, nil)
				is := snapshot(t, fsys)
				if r := is.reserved(); len(r) > 0 {
					t.Errorf("left: %q", r)
				}
				if tt.moved == "" {
					if err != nil && diff(is, was) == "" {
						return
					}
					contents := visible(t, fsys)
					for name, content := range was {
						// The previous content of the destination was replaced.
						moved := storage.Overlap(tt.dst, name) && !storage.Overlap(physical(tt.src, tt.links), name)
						if content != collection && content != link && !moved && !contents[content] {
							t.Errorf("error %v, and %s is lost", err, name)
						}
					}
					return
				}
				noError(t, err)
				got := layout{}
				noError(t, visit(t.Context(), fsys, tt.dst, tree.Infinite, nil, func(m tree.Member) error {
					name, info, err := m.Name, m.Info, m.Err
					noError(t, err)
					got[name] = collection
					if !info.IsDir() {
						got[name] = read(t, fsys, name)
					}
					return nil
				}))
				if d := diff(got.below(tt.dst), was.below(tt.moved)); d != "" {
					t.Errorf("wrong contents at %s:%s", tt.dst, d)
				}
				if _, err := storage.Lstat(t.Context(), fsys, tt.src); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the source is still there: %v", err)
				}
			})
		}
	}
}

// physical returns name with its first segment, if that is a link, replaced by the
// target.
func physical(name string, links map[string]string) string {
	for l, target := range links {
		if rest, ok := strings.CutPrefix(name, "/"+l+"/"); ok {
			return "/" + target + "/" + rest
		}
	}
	return name
}

// visible returns the contents of all files of fsys.
func visible(t *testing.T, fsys storage.FS) map[string]bool {
	t.Helper()
	contents := map[string]bool{}
	for _, what := range snapshot(t, fsys).seen() {
		contents[what] = true
	}
	return contents
}
