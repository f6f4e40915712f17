package storagetest

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"sync"

	"github.com/davd/davd/storage"
)

var removeChecks = []check{
	{"Remove", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{"/dir": collection, "/dir/file": "x", "/dir/empty": collection})
		f.succeeds(storage.Remove(f.ctx, f.FS, "/dir/file"))
		f.missing("/dir/file")
		f.succeeds(storage.Remove(f.ctx, f.FS, "/dir/empty"))
		f.missing("/dir/empty")
		f.holds(Tree{"/dir": collection})
		f.succeeds(storage.Remove(f.ctx, f.FS, "/dir"))
		f.holds(Tree{})
	}},
	{"RemoveCollectionWithMembers", func(f *fixture) {
		want := Tree{"/dir": collection, "/dir/file": "x", "/outer": collection, "/outer/inner": collection}
		WriteTree(f.t, f.FS, want)
		f.fails(storage.Remove(f.ctx, f.FS, "/dir"), fs.ErrExist)
		f.fails(storage.Remove(f.ctx, f.FS, "/outer"), fs.ErrExist)
		f.holds(want)
	}},
	{"RemoveMissing", func(f *fixture) {
		f.mkdir("/dir")
		f.fails(storage.Remove(f.ctx, f.FS, "/no"), fs.ErrNotExist)
		f.fails(storage.Remove(f.ctx, f.FS, "/no/a"), fs.ErrNotExist)
		f.holds(Tree{"/dir": collection})
	}},
	{"RemoveMembers", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{
			"/dir": collection, "/dir/a": "x", "/dir/b": "x", "/dir/empty": collection, "/dir/stays": "x",
			"/dir/full": collection, "/dir/full/c": "x", "/a": "x",
		})
		want := map[string]error{"a": nil, "no": fs.ErrNotExist, "full": fs.ErrExist, "b": nil, "empty": nil}
		members := []string{"a", "no", "full", "b", "empty"}
		i := 0
		for member, err := range storage.RemoveMembers(f.ctx, f.FS, "/dir", members) {
			if i == len(members) || member != members[i] {
				f.t.Fatalf("result %d is for %q of %q", i, member, members)
			}
			if i++; !errors.Is(err, want[member]) {
				f.t.Errorf("%s: error %v, want %v", member, err, want[member])
			}
		}
		if i != len(members) {
			f.t.Errorf("%d results, want %d", i, len(members))
		}
		f.holds(Tree{"/dir": collection, "/dir/stays": "x", "/dir/full": collection, "/dir/full/c": "x", "/a": "x"})
	}},
	{"RemoveMembersStopped", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{"/a": "x", "/b": "x", "/c": "x"})
		for member, err := range storage.RemoveMembers(f.ctx, f.FS, "/", []string{"a", "b", "c"}) {
			f.succeeds(err)
			if member == "b" {
				break
			}
		}
		f.holds(Tree{"/c": "x"})
	}},
	{"RemoveMembersConcurrent", func(f *fixture) {
		const files, goroutines = 100, 4
		tree := Tree{"/dir": collection, "/dir/stays": "x"}
		var members []string
		for i := range files {
			members = append(members, strconv.Itoa(i))
			tree["/dir/"+members[i]] = "x"
		}
		WriteTree(f.t, f.FS, tree)
		var wait sync.WaitGroup
		for part := range slices.Chunk(members, files/goroutines) {
			wait.Go(func() {
				for member, err := range storage.RemoveMembers(f.ctx, f.FS, "/dir", part) {
					if err != nil {
						f.t.Errorf("%s: %v", member, err)
					}
				}
			})
		}
		wait.Wait()
		f.holds(Tree{"/dir": collection, "/dir/stays": "x"})
	}},
	{"RemoveMembersElsewhere", func(f *fixture) {
		want := Tree{"/a": "x", "/dir": collection, "/dir/b": "x", "/dir/c": collection, "/dir/c/d": "x"}
		WriteTree(f.t, f.FS, want)
		for _, err := range storage.RemoveMembers(f.ctx, f.FS, "/no", []string{"a"}) {
			f.fails(err, fs.ErrNotExist)
		}
		for _, err := range storage.RemoveMembers(f.ctx, f.FS, "/a", []string{"a"}) {
			f.fails(err, fs.ErrNotExist)
		}
		f.holds(want)
	}},
	{"RemoveRoot", func(f *fixture) {
		f.fails(storage.Remove(f.ctx, f.FS, "/"), fs.ErrInvalid, fs.ErrPermission)
		f.mkdir("/dir")
		f.fails(storage.Remove(f.ctx, f.FS, "/"), fs.ErrInvalid, fs.ErrPermission, fs.ErrExist)
		f.holds(Tree{"/dir": collection})
	}},
	{"RemoveAll", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{
			"/a": collection, "/a/1": "x", "/a/b": collection, "/a/b/2": "x", "/a/b/c": collection,
			"/ab": collection, "/ab/3": "x", "/file": "x",
		})
		f.succeeds(f.RemoveAll(f.ctx, "/a"))
		f.missing("/a")
		f.missing("/a/b/2")
		f.succeeds(f.RemoveAll(f.ctx, "/file"))
		f.holds(Tree{"/ab": collection, "/ab/3": "x"})
		f.mkdir("/a")
		f.holds(Tree{"/a": collection, "/ab": collection, "/ab/3": "x"})
	}},
	{"RemoveAllMissing", func(f *fixture) {
		f.mkdir("/dir")
		f.succeeds(f.RemoveAll(f.ctx, "/no"))
		f.succeeds(f.RemoveAll(f.ctx, "/no/a"))
		f.holds(Tree{"/dir": collection})
	}},
	{"RemoveOpenFile", func(f *fixture) {
		f.write("/file", "content")
		file := f.open("/file", os.O_RDONLY)
		f.get(file, 3, "con")
		f.succeeds(storage.Remove(f.ctx, f.FS, "/file"))
		f.get(file, 4, "tent")
		f.holds(Tree{})
	}},
}
