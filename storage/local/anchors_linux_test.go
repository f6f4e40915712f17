package local_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// deepPath is longer than the distance of four anchors.
var deepPath = strings.Repeat("/d", 300)

// TestDeepPaths: what is found deep in the tree is what is there now, whoever has
// changed a collection above it.
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
			return errors.Join(os.MkdirAll(s.path("/aside"+to[200:]), 0o755), s.Exchange(ctx, deepPath[:200], "/aside"))
		}, true},
		{"another process removes a collection and makes another", func(s share, to string) error {
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
				t.Errorf("what was made before: %v", err)
			}
			if err := s.Mkdir(ctx, deepPath+"/after", 0o755); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(s.path(deepPath + "/after")); err != nil {
				t.Errorf("what was made after: %v", err)
			}
		})
	}
}

// TestDeepCost: the calls that make, describe, list and remove a chain of collections,
// from the top to the bottom and back, take the kernel through a number of segments in
// proportion to its depth.
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
			if err := errors.Join(listing.Close(), s.Remove(ctx, name)); err != nil {
				t.Fatal(err)
			}
		}
		passed[depth] = s.Passed()
	}
	if ratio := float64(passed[2000]) / float64(passed[500]); ratio > 6 {
		t.Errorf("four times the depth takes %.1f times the segments: %v", ratio, passed)
	}
}

// TestDeepDescriptors: however many deep collections are reached, few stay open, and
// none once the share is closed.
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
		t.Errorf("%d descriptors stay open", opened)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if opened := descriptors(t) - before; opened > 0 {
		t.Errorf("%d descriptors are open after Close", opened)
	}
}

// TestDirectCalls: the calls that find the parent at once do what those of an os.Root do
// with links, kinds and errors.
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
		{"MKCOL of what exists", s.Mkdir(ctx, "/dir", 0o755), fs.ErrExist},
		{"MKCOL below nothing", s.Mkdir(ctx, "/none/a", 0o755), fs.ErrNotExist},
		{"MKCOL below a file", s.Mkdir(ctx, "/dir/file/a", 0o755), fs.ErrNotExist},
		{"MKCOL below a link", s.Mkdir(ctx, "/link/made", 0o755), nil},
		{"remove what is full", s.Remove(ctx, "/dir/full"), fs.ErrExist},
		{"remove nothing", s.Remove(ctx, "/dir/none"), fs.ErrNotExist},
		{"remove below a file", s.Remove(ctx, "/dir/file/a"), fs.ErrNotExist},
		{"remove below a link", s.Remove(ctx, "/link/made"), nil},
		{"remove a link", s.Remove(ctx, "/dir/tofile"), nil},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
	if _, err := os.Stat(s.path("/dir/file")); err != nil {
		t.Errorf("the file that the removed link led to: %v", err)
	}
	if info, err := s.Lstat(ctx, "/link"); err != nil || info.Mode()&fs.ModeSymlink == 0 || info.Name() != path.Base("/link") {
		t.Errorf("Lstat of a link: %v, %v", info, err)
	}
}

// descriptors is how many this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
