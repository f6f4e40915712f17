package storagetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/davd/davd/storage"
)

// crowd is a number of members that the fallback of storage.ReadDir can't read in one batch.
const crowd = 300

var readdirChecks = []check{
	{"ReadDir", func(f *fixture) {
		f.mkdir("/dir", "/dir/sub", "/dir/sub/deep")
		f.write("/dir/file", "0123456789")
		members := f.list("/dir")
		file, sub := members["file"], members["sub"]
		if len(members) != 2 || file == nil || sub == nil {
			f.t.Fatalf("members %v, want file and sub", members)
		}
		if file.Size() != 10 || file.IsDir() || !sub.IsDir() || !sub.Mode().IsDir() {
			f.t.Errorf("members %s, %s", fs.FormatFileInfo(file), fs.FormatFileInfo(sub))
		}
		f.recent(file)
	}},
	{"ReadDirEmpty", func(f *fixture) {
		f.mkdir("/dir")
		for _, name := range []string{"/dir", "/dir"} {
			if members := f.list(name); len(members) != 0 {
				f.t.Errorf("members %v, want none", members)
			}
		}
	}},
	{"ReadDirMany", func(f *fixture) {
		f.crowd()
		if members := f.list("/dir"); len(members) != crowd {
			f.t.Errorf("%d members, want %d", len(members), crowd)
		}
	}},
	{"ReadDirMissing", func(f *fixture) {
		f.write("/file", "x")
		for name, want := range map[string]error{"/no": fs.ErrNotExist, "/file/a": fs.ErrNotExist, "/file": nil} {
			n := 0
			for info, err := range storage.ReadDir(f.ctx, f.FS, name) {
				n++
				if err == nil || want != nil && !errors.Is(err, want) {
					f.t.Errorf("%s: member %v, %v; want only an error", name, info, err)
				}
				f.carry(name, err)
			}
			if n != 1 {
				f.t.Errorf("%s: %d pairs, want one with an error", name, n)
			}
		}
	}},
	{"ReadDirStopped", func(f *fixture) {
		f.crowd()
		n := 0
		for _, err := range storage.ReadDir(f.ctx, f.FS, "/dir") {
			f.succeeds(err)
			if n++; n == 3 {
				break
			}
		}
		if n != 3 {
			f.t.Errorf("%d members before the break, want 3", n)
		}
	}},
	{"List", func(f *fixture) {
		f.crowd()
		f.mkdir("/dir/sub")
		listing, err := storage.List(f.ctx, f.FS, "/dir")
		f.succeeds(err)
		defer closeListing(f.t, listing)
		all := f.found(listing)
		if len(all) != crowd+1 {
			f.t.Errorf("%d members, want %d", len(all), crowd+1)
		}
		for name, entry := range all {
			f.succeeds(entry.Err)
			f.same(path.Join("/dir", name), entry.Info)
		}
	}},
	{"ListMissing", func(f *fixture) {
		f.write("/file", "x")
		for name, want := range map[string]error{"/no": fs.ErrNotExist, "/file": nil} {
			listing, err := storage.List(f.ctx, f.FS, name)
			if err == nil {
				_, err = listing.Next(f.ctx)
				closeListing(f.t, listing)
			}
			if err == nil || errors.Is(err, io.EOF) || want != nil && !errors.Is(err, want) {
				f.t.Errorf("%s: %v; want an error", name, err)
			}
		}
	}},
	{"ListDescribesInParallel", func(f *fixture) {
		f.crowd()
		listing, err := storage.List(f.ctx, f.FS, "/dir")
		f.succeeds(err)
		defer closeListing(f.t, listing)
		var describing sync.WaitGroup
		var described atomic.Int64
		for err == nil {
			var members storage.Members
			if members, err = listing.Next(f.ctx); members == nil {
				break
			}
			for from := range members.Len() {
				describing.Go(func() {
					for _, entry := range members.Describe(f.ctx, from, from+1, nil) {
						if entry.Err == nil && entry.Info.Size() == 1 {
							described.Add(1)
						}
					}
				})
			}
		}
		describing.Wait()
		if n := described.Load(); n != crowd || !errors.Is(err, io.EOF) {
			f.t.Errorf("%d members and then %v; want %d and io.EOF", n, err, crowd)
		}
	}},
	{"ListWhileRemoving", func(f *fixture) {
		f.crowd()
		listing, err := storage.List(f.ctx, f.FS, "/dir")
		f.succeeds(err)
		defer closeListing(f.t, listing)
		members, err := listing.Next(f.ctx)
		if members == nil || err != nil && !errors.Is(err, io.EOF) {
			f.t.Fatalf("Next: %v, %v", members, err)
		}
		for name := range f.list("/dir") {
			f.succeeds(storage.Remove(f.ctx, f.FS, "/dir/"+name))
		}
		for _, entry := range members.Describe(f.ctx, 0, members.Len(), nil) {
			if entry.Err != nil {
				f.t.Errorf("%s, which has been removed: %v", entry.Name, entry.Err)
			}
		}
	}},
	{"ReaddirInBatches", func(f *fixture) {
		f.crowd()
		for _, batch := range []int{1, 7, crowd, crowd + 1} {
			f.batches(batch)
		}
	}},
	{"ReaddirAtOnce", func(f *fixture) {
		f.crowd()
		file := f.open("/dir", os.O_RDONLY)
		infos, err := file.Readdir(-1)
		if err != nil || len(infos) != crowd {
			f.t.Errorf("Readdir(-1): %d members, %v; want %d", len(infos), err, crowd)
		}
	}},
	{"ReaddirWhileRemoving", func(f *fixture) {
		f.crowd()
		file := f.open("/dir", os.O_RDONLY)
		first, err := file.Readdir(10)
		f.succeeds(err)
		if len(first) == 0 {
			f.t.Fatal("no members")
		}
		for name := range f.list("/dir") {
			f.succeeds(storage.Remove(f.ctx, f.FS, "/dir/"+name))
		}
		for n := 0; ; n++ {
			if _, err := file.Readdir(10); atEnd(err) {
				break
			} else if err != nil || n > crowd {
				f.t.Fatalf("batch %d: %v; want io.EOF in the end", n, err)
			}
		}
		f.holds(Tree{"/dir": collection})
	}},
}

func closeListing(t *testing.T, listing storage.Listing) {
	t.Helper()
	if err := listing.Close(); err != nil {
		t.Error(err)
	}
}

// found reads a listing to the end and returns its members by name.
func (f listings) found(listing storage.Listing) map[string]storage.Entry {
	f.t.Helper()
	all := map[string]storage.Entry{}
	for {
		members, err := listing.Next(f.ctx)
		if members != nil {
			for _, entry := range members.Describe(f.ctx, 0, members.Len(), nil) {
				all[entry.Name] = entry
			}
		}
		if errors.Is(err, io.EOF) {
			return all
		}
		f.succeeds(err)
	}
}

// same checks that the listing describes name as Lstat does.
func (f listings) same(name string, listed fs.FileInfo) {
	f.t.Helper()
	is, err := storage.Lstat(f.ctx, f.FS, name)
	f.succeeds(err)
	listedVersion, _ := storage.Version(listed)
	version, _ := storage.Version(is)
	if listed.Name() != path.Base(name) || listed.Mode() != is.Mode() || listed.IsDir() != is.IsDir() || listedVersion != version {
		f.t.Errorf("%s is listed as %s, %s; Lstat returns %s, %s", name, fs.FormatFileInfo(listed), listedVersion, fs.FormatFileInfo(is), version)
	}
	if storage.SameFile(is, is) && !storage.SameFile(listed, is) {
		f.t.Errorf("%s is listed as another file", name)
	}
	if born, want := storage.Born(listed), storage.Born(is); !born.Equal(want) {
		f.t.Errorf("%s is listed as created at %v; Lstat returns %v", name, born, want)
	}
}

// crowd creates the collection /dir with crowd files in it.
func (f listings) crowd() {
	f.t.Helper()
	f.mkdir("/dir")
	for i := range crowd {
		f.write(fmt.Sprintf("/dir/%03d", i), "x")
	}
}

// batches reads the collection that crowd made, and checks the rules of os.File.Readdir(n > 0):
// io.EOF comes at the end, alone.
func (f listings) batches(batch int) {
	f.t.Helper()
	file := f.open("/dir", os.O_RDONLY)
	seen := map[string]bool{}
	for {
		infos, err := file.Readdir(batch)
		if atEnd(err) && len(infos) == 0 {
			break
		}
		f.succeeds(err)
		if len(infos) == 0 || len(infos) > batch {
			f.t.Fatalf("Readdir(%d): %d members", batch, len(infos))
		}
		for _, info := range infos {
			seen[info.Name()] = true
		}
	}
	if len(seen) != crowd {
		f.t.Errorf("in batches of %d: %d members, want %d", batch, len(seen), crowd)
	}
	if _, err := file.Readdir(batch); !atEnd(err) {
		f.t.Errorf("Readdir after the end: %v, want io.EOF", err)
	}
}
