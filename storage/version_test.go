package storage_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// fakeInfo is a description from a storage without inodes.
type fakeInfo struct {
	fs.FileInfo
	size     int64
	modified time.Time
}

func (i fakeInfo) Size() int64        { return i.size }
func (i fakeInfo) ModTime() time.Time { return i.modified }
func (i fakeInfo) Sys() any           { return nil }
func (i fakeInfo) IsDir() bool        { return false }

func TestVersionOfTimeAndSize(t *testing.T) {
	at := time.Unix(1, 0x11)
	for _, test := range []struct {
		info fakeInfo
		want string
	}{
		{fakeInfo{size: 0x2a, modified: at}, "3b9aca11-2a"},
		{fakeInfo{size: 0x2b, modified: at}, "3b9aca11-2b"},
		{fakeInfo{size: 0x2a, modified: at.Add(1)}, "3b9aca12-2a"},
		{fakeInfo{modified: time.Unix(-1, 0)}, "ffffffffc4653600-0"},
	} {
		if got, strong := storage.Version(test.info); got != test.want || strong {
			t.Errorf("Version of %d bytes at %v: %q, %t; want %q, which is weak", test.info.size, test.info.modified, got, strong, test.want)
		}
	}
}

// statVersion returns the version of name.
func statVersion(t *testing.T, fsys storage.FS, name string) (version string, strong bool) {
	t.Helper()
	info, err := fsys.Stat(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return storage.Version(info)
}

// TestVersionOfSetTime gives other content of the same size the same time, as a client can.
func TestVersionOfSetTime(t *testing.T) {
	fsys := openLocal(t, t.TempDir())
	at := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	versions := map[string]bool{}
	strong := false
	for _, content := range []string{"one", "two"} {
		err := errors.Join(
			put(t.Context(), fsys, "/file", content, false),
			storage.SetTimes(t.Context(), fsys, "/file", at),
		)
		if err != nil {
			t.Fatal(err)
		}
		var version string
		version, strong = statVersion(t, fsys, "/file")
		versions[version] = true
	}
	if strong != (len(versions) == 2) {
		t.Errorf("versions %v; strong: %t", versions, strong)
	}
}

// TestVersionOfCollection checks that changes of members change the version of a collection whose last
// change was long ago.
func TestVersionOfCollection(t *testing.T) {
	dir := t.TempDir()
	fsys := openLocal(t, dir)
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/dir": "/", "/dir/a": "x"})
	for _, change := range []struct {
		name string
		make func() error
	}{
		{"a member is created", func() error { return put(t.Context(), fsys, "/dir/b", "x", true) }},
		{"a member is renamed", func() error { return fsys.Rename(t.Context(), "/dir/b", "/dir/c") }},
		{"a member is removed", func() error { return storage.Remove(t.Context(), fsys, "/dir/c") }},
	} {
		past := time.Unix(1e9, 0)
		if err := os.Chtimes(dir+"/dir", past, past); err != nil {
			t.Fatal(err)
		}
		before, _ := statVersion(t, fsys, "/dir")
		if again, _ := statVersion(t, openLocal(t, dir), "/dir"); again != before {
			t.Errorf("the version %s is %s after a restart", before, again)
		}
		if err := change.make(); err != nil {
			t.Fatal(err)
		}
		if after, _ := statVersion(t, fsys, "/dir"); after == before {
			t.Errorf("%s: the version is still %s", change.name, before)
		}
	}
}
