package tree_test

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// visits collects the names that a walk visits, in order, and the errors.
type visits struct {
	names  []string
	errors map[string]error
}

func (v *visits) visit(m tree.Member) error {
	name, info, err := m.Name, m.Info, m.Err
	v.names = append(v.names, name)
	if err != nil {
		if v.errors == nil {
			v.errors = map[string]error{}
		}
		v.errors[name] = err
		if info != nil && !info.IsDir() {
			return errors.New("only a collection has members that can't be listed")
		}
	}
	return nil
}

// check compares the visited names with want, in any order, and checks that each
// collection comes before its members.
func (v *visits) check(t *testing.T, root string, want ...string) {
	t.Helper()
	seen := map[string]bool{}
	for _, name := range v.names {
		if name != root && !seen[path.Dir(name)] {
			t.Errorf("%s was visited before its collection", name)
		}
		seen[name] = true
	}
	got := slices.Sorted(slices.Values(v.names))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("visited %q, want %q", got, want)
	}
}

func TestWalkDepth(t *testing.T) {
	l := layout{"/c/f": "1", "/c/d/g": "2", "/c/d/e/h": "3", "/c/empty": collection, "/other": "4"}
	tests := []struct {
		name  string
		root  string
		depth int
		want  []string
	}{
		{"0 of a collection [RFC4918:S10.2]", "/c", 0, []string{"/c"}},
		{"1 of a collection [RFC4918:S10.2]", "/c", 1, []string{"/c", "/c/f", "/c/d", "/c/empty"}},
		{
			"infinity of a collection [RFC4918:S10.2]", "/c", tree.Infinite,
			[]string{"/c", "/c/f", "/c/d", "/c/d/g", "/c/d/e", "/c/d/e/h", "/c/empty"},
		},
		{
			"infinity of the root [RFC4918:S10.2]", "/", tree.Infinite,
			[]string{"/", "/c", "/c/f", "/c/d", "/c/d/g", "/c/d/e", "/c/d/e/h", "/c/empty", "/other"},
		},
		{"1 of an empty collection", "/c/empty", 1, []string{"/c/empty"}},
		{"infinity of an empty collection", "/c/empty", tree.Infinite, []string{"/c/empty"}},
		{"0 of a file", "/c/f", 0, []string{"/c/f"}},
		{"1 of a file [RFC4918:S9.1]", "/c/f", 1, []string{"/c/f"}},
		{"infinity of a file [RFC4918:S9.1]", "/c/f", tree.Infinite, []string{"/c/f"}},
	}
	for _, backend := range backends {
		fsys := backend.open(t)
		build(t, fsys, l)
		for _, tt := range tests {
			t.Run(backend.name+"/"+tt.name, func(t *testing.T) {
				var v visits
				mon := new(tree.Monitor)
				noError(t, visit(t.Context(), fsys, tt.root, tt.depth, mon, v.visit))
				v.check(t, tt.root, tt.want...)
				if len(v.errors) > 0 {
					t.Errorf("errors %v", v.errors)
				}
				want := tree.Progress{Done: int64(len(tt.want)), Known: int64(len(tt.want)), Final: true, Current: v.names[len(v.names)-1]}
				if p := mon.Snapshot(); p != want {
					t.Errorf("progress %+v, want %+v", p, want)
				}
			})
		}
	}
}

func TestWalkLarge(t *testing.T) {
	fsys, _ := newLocal(t)
	l, want := many("/c", 1500), []string{"/c"}
	build(t, fsys, l)
	for name := range l {
		want = append(want, name)
	}
	var v visits
	noError(t, visit(t.Context(), fsys, "/c", 1, nil, v.visit))
	v.check(t, "/c", want...)
}

func TestWalkInfo(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, layout{"/c/d/f": "12345"})
	symlink(t, dir, "c/link", "d/f")
	symlink(t, dir, "c/dirlink", "d")
	want := map[string]struct {
		size  int64
		isDir bool
	}{
		"/c": {isDir: true}, "/c/d": {isDir: true}, "/c/d/f": {size: 5}, "/c/link": {size: 5},
		"/c/dirlink": {isDir: true}, "/c/dirlink/f": {size: 5},
	}
	got := 0
	noError(t, visit(t.Context(), fsys, "/c", tree.Infinite, nil, func(m tree.Member) error {
		name, info := m.Name, m.Info
		got++
		if info.IsDir() != want[name].isDir || !info.IsDir() && info.Size() != want[name].size {
			t.Errorf("%s: collection %t, size %d; want %+v", name, info.IsDir(), info.Size(), want[name])
		}
		return nil
	}))
	if got != len(want) {
		t.Errorf("%d visits, want %d", got, len(want))
	}
}

func TestWalkLeavesOut(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, layout{
		"/c/f": "1", "/c/.davd-x": "2", "/c/.DAVD-y/f": "3", "/c/.davd": "4", "/c/d/.davd-z": "5", "/b/f": "6",
	})
	mkfifo(t, dir, "c/fifo")
	symlink(t, dir, "c/fifolink", "fifo")
	symlink(t, dir, "c/dangling", "nowhere")
	symlink(t, dir, "c/self", "self")
	symlink(t, dir, "c/outside", "../../"+path.Base(t.TempDir()))
	symlink(t, dir, "c/absolute", t.TempDir())
	symlink(t, dir, "c/filelink", "f")
	symlink(t, dir, "c/dirlink", "../b")
	for _, tt := range []struct {
		depth int
		want  []string
	}{
		{1, []string{"/c", "/c/f", "/c/.davd", "/c/d", "/c/filelink", "/c/dirlink"}},
		{tree.Infinite, []string{"/c", "/c/f", "/c/.davd", "/c/d", "/c/filelink", "/c/dirlink", "/c/dirlink/f"}},
	} {
		var v visits
		noError(t, visit(t.Context(), fsys, "/c", tt.depth, nil, v.visit))
		v.check(t, "/c", tt.want...)
		if len(v.errors) > 0 {
			t.Errorf("errors %v", v.errors)
		}
	}
}

func TestWalkLoops(t *testing.T) {
	tests := []struct {
		name  string
		links map[string]string
		root  string
		want  []string
	}{
		{
			"to its own collection",
			map[string]string{"c/d/loop": "."},
			"/c",
			[]string{"/c", "/c/f", "/c/d", "/c/d/g", "/c/d/loop"},
		},
		{
			"to the root of the walk",
			map[string]string{"c/d/loop": ".."},
			"/c",
			[]string{"/c", "/c/f", "/c/d", "/c/d/g", "/c/d/loop"},
		},
		{
			"to what holds the root of the walk",
			map[string]string{"c/d/loop": "../.."},
			"/c/d",
			[]string{"/c/d", "/c/d/g", "/c/d/loop"},
		},
		{
			"to the root of the share",
			map[string]string{"c/d/loop": "../.."},
			"/",
			[]string{"/", "/b", "/b/h", "/c", "/c/f", "/c/d", "/c/d/g", "/c/d/loop"},
		},
		{
			"each to the other",
			map[string]string{"c/d/loop": "../../b", "b/loop": "../c/d"},
			"/c/d",
			[]string{"/c/d", "/c/d/g", "/c/d/loop", "/c/d/loop/h", "/c/d/loop/loop"},
		},
		{
			"root is a link",
			map[string]string{"l": "c", "c/d/loop": "../../l"},
			"/l",
			[]string{"/l", "/l/f", "/l/d", "/l/d/g", "/l/d/loop"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys, dir := newLocal(t)
			build(t, fsys, layout{"/c/f": "1", "/c/d/g": "2", "/b/h": "3"})
			for name, target := range tt.links {
				symlink(t, dir, name, target)
			}
			var v visits
			noError(t, visit(t.Context(), fsys, tt.root, tree.Infinite, nil, v.visit))
			v.check(t, tt.root, tt.want...)
		})
	}
}

func TestWalkErrors(t *testing.T) {
	l := layout{"/c/a/f": "1", "/c/b/g": "2", "/c/e/h": "3", "/c/i": "4"}
	all := []string{"/c", "/c/a", "/c/a/f", "/c/b", "/c/b/g", "/c/e", "/c/e/h", "/c/i"}
	errBad := errors.New("bad")
	for _, backend := range backends {
		t.Run(backend.name+"/a collection that can't be listed", func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, l)
			var v visits
			mon, taken := recorded()
			noError(t, visit(t.Context(), failing(fsys, errBad, "readdir", "/c/b"), "/c", tree.Infinite, mon, v.visit))
			v.check(t, "/c", "/c", "/c/a", "/c/a/f", "/c/b", "/c/e", "/c/e/h", "/c/i")
			if len(v.errors) != 1 || !errors.Is(v.errors["/c/b"], errBad) {
				t.Errorf("errors %v, want one of /c/b", v.errors)
			}
			if p := mon.Snapshot(); p.Done != 7 {
				t.Errorf("%d done, want 7", p.Done)
			}
			if o := taken.Take(); len(o) == 0 || o[0].Name != "/c/b" || !errors.Is(o[0].Err, errBad) {
				t.Errorf("outcomes %v, want /c/b first", o)
			}
		})
		t.Run(backend.name+"/a root that can't be listed", func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, l)
			var v visits
			noError(t, visit(t.Context(), failing(fsys, errBad, "readdir", "/c"), "/c", 1, nil, v.visit))
			v.check(t, "/c", "/c")
			if !errors.Is(v.errors["/c"], errBad) {
				t.Errorf("errors %v, want one of /c", v.errors)
			}
		})
		t.Run(backend.name+"/a root that does not exist", func(t *testing.T) {
			fsys := backend.open(t)
			var v visits
			errorIs(t, visit(t.Context(), fsys, "/c", 1, nil, v.visit), fs.ErrNotExist)
			v.check(t, "/c")
		})
		t.Run(backend.name+"/a visit that fails", func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, l)
			for stop := 1; stop <= len(all); stop++ {
				n := 0
				err := visit(t.Context(), fsys, "/c", tree.Infinite, nil, func(tree.Member) error {
					if n++; n == stop {
						return errBad
					}
					return nil
				})
				if !errors.Is(err, errBad) || n != stop {
					t.Errorf("error %v after %d visits, want %v after %d", err, n, errBad, stop)
				}
			}
		})
		t.Run(backend.name+"/ctx ends", func(t *testing.T) {
			fsys := backend.open(t)
			build(t, fsys, l)
			for stop := 1; stop < len(all); stop++ {
				ctx, cancel := context.WithCancel(t.Context())
				n := 0
				err := visit(ctx, fsys, "/c", tree.Infinite, nil, func(tree.Member) error {
					if n++; n == stop {
						cancel()
					}
					return nil
				})
				cancel()
				if stop == len(all)-1 && err == nil {
					continue // It ended too late.
				}
				if !errors.Is(err, context.Canceled) || n > stop+1 {
					t.Errorf("error %v after %d visits, want %v after %d", err, n, context.Canceled, stop)
				}
			}
		})
	}
}

// A collection that was visited before its listing breaks is visited again with the
// error.
func TestWalkBrokenStream(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, layout{"/c/b/f": "1", "/c/b/g": "2", "/c/b/h": "3"})
	errBad := errors.New("bad")
	broken := brokenStream{FS: fsys, name: "/c/b", after: 2, err: errBad}
	n := map[string]int{}
	failures := 0
	noError(t, visit(t.Context(), broken, "/c", tree.Infinite, nil, func(m tree.Member) error {
		name, err := m.Name, m.Err
		n[name]++
		if err != nil {
			failures++
		}
		return nil
	}))
	for name, visits := range n {
		if want := map[bool]int{true: 2, false: 1}[name == "/c/b"]; visits != want {
			t.Errorf("%s was visited %d times, want %d", name, visits, want)
		}
	}
	if len(n) != 4 {
		t.Errorf("visited %v, want /c, /c/b and two members", n)
	}
	if failures != 1 {
		t.Errorf("%d visits with an error, want 1", failures)
	}
}

func TestWalkVanishing(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, layout{"/c/d/f": "1", "/c/e/g": "2"})
	symlink(t, dir, "c/link", "e/g")
	var v visits
	gone := before(fsys, "readdir", "/c/d", func() {
		noError(t, fsys.RemoveAll(context.Background(), "/c/d"))
	})
	noError(t, visit(t.Context(), gone, "/c", tree.Infinite, nil, v.visit))
	for name, err := range v.errors {
		if name != "/c/d" || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	v.check(t, "/c", "/c", "/c/d", "/c/e", "/c/e/g", "/c/link")

	v = visits{}
	gone = before(fsys, "stat", "/c/link", func() {
		noError(t, storage.Remove(context.Background(), fsys, "/c/link"))
	})
	noError(t, visit(t.Context(), gone, "/c", tree.Infinite, nil, v.visit))
	v.check(t, "/c", "/c", "/c/e", "/c/e/g")
	if len(v.errors) > 0 {
		t.Errorf("errors %v", v.errors)
	}
}
