package local_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

// entriesOf lists a collection to the end.
func entriesOf(t *testing.T, fsys storage.FS, name string) map[string]storage.Entry {
	t.Helper()
	listing, err := storage.List(t.Context(), fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	defer listing.Close()
	all := map[string]storage.Entry{}
	for err == nil {
		var members storage.Members
		members, err = listing.Next(t.Context())
		for _, entry := range members.Describe(t.Context(), 0, members.Len(), nil) {
			all[entry.Name] = entry
		}
	}
	return all
}

// TestListLikeLstat checks that List describes every kind of entry as package os does, including
// special mode bits and distant times.
func TestListLikeLstat(t *testing.T) {
	s := newShare(t)
	makeSpecial(t, s)
	storagetest.WriteTree(t, s, storagetest.Tree{"/collection": "/", "/long": "12345", "/\xff": "x", "/" + strings.Repeat("n", 255): ""})
	for _, err := range []error{
		os.Symlink("nowhere", s.path("/to-nowhere")),
		os.Chmod(s.path("/collection"), 0o1751|fs.ModeSetgid|fs.ModeSticky),
		os.Chmod(s.path("/long"), 0o4755|fs.ModeSetuid),
		unix.UtimesNanoAt(unix.AT_FDCWD, s.path("/long"), []unix.Timespec{{Sec: 0}, {Sec: -1, Nsec: 999_999_999}}, 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	all := entriesOf(t, s, "/")
	names, err := os.ReadDir(s.path("/"))
	if err != nil || len(names) != len(all) {
		t.Fatalf("%d entries, want %d: %v", len(all), len(names), err)
	}
	for _, each := range names {
		want, err := os.Lstat(s.path("/" + each.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got := all[each.Name()]
		if got.Err != nil || got.Info.Name() != want.Name() || got.Info.Mode() != want.Mode() || got.Info.Size() != want.Size() ||
			!got.Info.ModTime().Equal(want.ModTime()) || got.Info.IsDir() != want.IsDir() || !storage.SameFile(got.Info, want) {
			t.Errorf("%q is listed as %+v, want %s at %v", each.Name(), got, fs.FormatFileInfo(want), want.ModTime())
		}
		if one, two := version(got.Info), version(want); one != two {
			t.Errorf("%q has the version %s in the listing, and %s", each.Name(), one, two)
		}
	}
}

func version(info fs.FileInfo) string {
	v, _ := storage.Version(info)
	return v
}

// TestListManyChunks lists more members than fit in one buffer.
func TestListManyChunks(t *testing.T) {
	s := newShare(t)
	const files = 3000
	for i := range files {
		if err := os.WriteFile(s.path(fmt.Sprintf("/a name of some length %05d", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if all := entriesOf(t, s, "/"); len(all) != files {
		t.Errorf("%d entries, want %d", len(all), files)
	}
}

// TestListOutside checks that a link that leads outside can't be listed, and that a link put in place
// of an open collection doesn't change what is described.
func TestListOutside(t *testing.T) {
	s := newShare(t)
	outside := t.TempDir()
	if err := os.WriteFile(outside+"/file", []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/", "/dir/file": "x"})
	if err := os.Symlink(outside, s.path("/out")); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.List(t.Context(), s, "/out"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("List of a link that leads out: %v, want fs.ErrNotExist", err)
	}
	listing, err := storage.List(t.Context(), s, "/dir")
	if err != nil {
		t.Fatal(err)
	}
	defer listing.Close()
	members, _ := listing.Next(t.Context())
	if err := errors.Join(os.Rename(s.path("/dir"), s.path("/away")), os.Symlink(outside, s.path("/dir"))); err != nil {
		t.Fatal(err)
	}
	for _, entry := range members.Describe(t.Context(), 0, members.Len(), nil) {
		if entry.Err != nil || entry.Info.Size() != 1 {
			t.Errorf("%+v, want the file of one byte", entry)
		}
	}
}

// TestListRemoved checks that a collection has no more members after it is removed.
func TestListRemoved(t *testing.T) {
	s := newShare(t)
	storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/"})
	listing, err := storage.List(t.Context(), s, "/dir")
	if err != nil {
		t.Fatal(err)
	}
	defer listing.Close()
	if err := syscall.Rmdir(s.path("/dir")); err != nil {
		t.Fatal(err)
	}
	if members, err := listing.Next(t.Context()); members.Len() != 0 || err == nil {
		t.Errorf("%d members, %v", members.Len(), err)
	}
}

// TestListLongPath uses a name that is too long for one system call. It checks that no step follows a
// link outside, whatever the policy.
func TestListLongPath(t *testing.T) {
	const depth = 30
	segment := "/" + strings.Repeat("n", 255)
	for _, links := range []local.Links{local.LinksInside, local.LinksDeny} {
		t.Run(links.String(), func(t *testing.T) {
			s := newShareWith(t, local.Options{Links: links})
			outside := t.TempDir()
			if err := os.WriteFile(outside+"/secret", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			name := ""
			for range depth {
				name += segment
				if err := s.Mkdir(t.Context(), name, 0o777); err != nil {
					t.Fatal(storage.Cause(err))
				}
			}
			file, err := s.OpenFile(t.Context(), name+"/file", os.O_RDWR|os.O_CREATE, 0o666)
			if err == nil {
				err = file.Close()
			}
			if err == nil {
				// Rename at the place where one step ends and the next starts.
				err = s.Rename(t.Context(), strings.Repeat(segment, depth/2), strings.Repeat(segment, depth/2-1)+"/moved")
			}
			if err != nil {
				t.Fatal(storage.Cause(err))
			}
			moved := strings.Repeat(segment, depth/2-1) + "/moved" + strings.Repeat(segment, depth/2)
			if all := entriesOf(t, s, moved); len(all) != 1 || all["file"].Err != nil {
				t.Errorf("%d segments deep there are %d members", depth, len(all))
			}
			dir, err := os.OpenRoot(s.dir)
			if err != nil {
				t.Fatal(err)
			}
			defer dir.Close()
			for _, at := range []int{2, depth/2 - 1} {
				above := strings.TrimPrefix(strings.Repeat(segment, at-1), "/")
				if err := dir.Symlink(outside, above+"/out"); err != nil {
					t.Fatal(err)
				}
				if _, err := s.List(t.Context(), "/"+above+"/out"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%d segments deep a link leads outside: %v", at, storage.Cause(err))
				}
			}
			if _, err := s.List(t.Context(), moved+"/file"); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
				t.Errorf("a file can be listed: %v", storage.Cause(err))
			}
		})
	}
}
