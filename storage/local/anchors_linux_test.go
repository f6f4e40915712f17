package local_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
)

// deepPath is longer than the distance between four anchors.
var deepPath = strings.Repeat("/d", 300)

// TestDeepPaths checks that calls deep in the tree see its present state after a collection above
// has been renamed or replaced.
func TestDeepPaths(t *testing.T) {
	ctx := t.Context()
	for _, change := range []struct {
		name string
		do   func(s share, to string) error
		gone bool
	}{
		{"nothing", func(share, string) error { return nil }, false},
		{"davd renames a collection", func(s share, to string) error {
			return errors.Join(s.Rename(ctx, deepPath[:200], "/aside"), os.MkdirAll(s.path(to), 0o755))
		}, true},
		{"davd exchanges two collections", func(s share, to string) error {
			return errors.Join(os.MkdirAll(s.path("/aside"+to[200:]), 0o755), storage.Exchange(ctx, s, deepPath[:200], "/aside"))
		}, true},
		{"another process removes a collection and creates another", func(s share, to string) error {
			return errors.Join(os.RemoveAll(s.path(to[:200])), os.MkdirAll(s.path(to), 0o755))
		}, true},
	} {
		t.Run(change.name, func(t *testing.T) {
			s := newShare(t)
			if err := os.MkdirAll(s.path(deepPath), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := s.Mkdir(ctx, deepPath+"/before", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := change.do(s, deepPath); err != nil {
				t.Fatal(err)
			}
			_, err := s.Stat(ctx, deepPath+"/before")
			if errors.Is(err, fs.ErrNotExist) != change.gone || err != nil && !change.gone {
				t.Errorf("the collection created before: %v", err)
			}
			if err := s.Mkdir(ctx, deepPath+"/after", 0o755); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(s.path(deepPath + "/after")); err != nil {
				t.Errorf("the collection created after: %v", err)
			}
		})
	}
}

// TestDeepCost checks that creating, describing, listing and removing a chain of nested
// collections makes the kernel resolve a number of segments that is proportional to the depth.
func TestDeepCost(t *testing.T) {
	ctx := t.Context()
	passed := map[int]int64{}
	for _, depth := range []int{500, 2000} {
		s := newShare(t)
		var names []string
		for i := range depth {
			names = append(names, strings.Repeat("/d", i+1))
		}
		for _, name := range names {
			if err := s.Mkdir(ctx, name, 0o755); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Stat(ctx, name); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range slices.Backward(names) {
			listing, err := s.List(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(listing.Close(), storage.Remove(ctx, s, name)); err != nil {
				t.Fatal(err)
			}
		}
		passed[depth] = s.Passed()
	}
	if passed[500] == 0 {
		t.Error("no call used an anchor")
	}
	if ratio := float64(passed[2000]) / float64(passed[500]); ratio > 6 {
		t.Errorf("four times the depth takes %.1f times as many segments: %v", ratio, passed)
	}
}

// TestDeepDescriptors checks that few descriptors stay open however many deep collections are
// used, and none after Close.
func TestDeepDescriptors(t *testing.T) {
	s := newShare(t)
	before := descriptors(t)
	for i := range 20 {
		name := "/" + strings.Repeat("x", i+1) + deepPath
		if err := os.MkdirAll(s.path(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Stat(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if opened := descriptors(t) - before; opened > 17 {
		t.Errorf("%d descriptors are still open", opened)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if opened := descriptors(t) - before; opened > 0 {
		t.Errorf("%d descriptors are open after Close", opened)
	}
}

// TestDirectCalls checks that the calls that reach the parent directly treat links and kinds of
// files like an os.Root, and return the same errors.
func TestDirectCalls(t *testing.T) {
	ctx := t.Context()
	s := newShare(t)
	for _, err := range []error{
		os.MkdirAll(s.path("/dir/full/member"), 0o755), os.WriteFile(s.path("/dir/file"), nil, 0o644),
		os.Symlink("dir", s.path("/link")), os.Symlink("file", s.path("/dir/tofile")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"MKCOL of an existing name", s.Mkdir(ctx, "/dir", 0o755), fs.ErrExist},
		{"MKCOL below a missing name", s.Mkdir(ctx, "/none/a", 0o755), fs.ErrNotExist},
		{"MKCOL below a file", s.Mkdir(ctx, "/dir/file/a", 0o755), fs.ErrNotExist},
		{"MKCOL below a link", s.Mkdir(ctx, "/link/made", 0o755), nil},
		{"remove a collection with members", storage.Remove(ctx, s, "/dir/full"), fs.ErrExist},
		{"remove a missing name", storage.Remove(ctx, s, "/dir/none"), fs.ErrNotExist},
		{"remove below a file", storage.Remove(ctx, s, "/dir/file/a"), fs.ErrNotExist},
		{"remove below a link", storage.Remove(ctx, s, "/link/made"), nil},
		{"remove a link", storage.Remove(ctx, s, "/dir/tofile"), nil},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
	if _, err := os.Stat(s.path("/dir/file")); err != nil {
		t.Errorf("the target of the removed link: %v", err)
	}
	if info, err := s.Lstat(ctx, "/link"); err != nil || info.Mode()&fs.ModeSymlink == 0 || info.Name() != path.Base("/link") {
		t.Errorf("Lstat of a link: %v, %v", info, err)
	}
}

// descriptors returns how many descriptors this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
