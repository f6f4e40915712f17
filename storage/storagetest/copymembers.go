package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/davd/davd/storage"
)

var copyMembersChecks = []check{
	{"CopyMembers", copyMembers},
	{"CopyMembersGoesOn", func(f *fixture) {
		tree := Tree{"/src": collection, "/dst": collection, "/dst/here": "old"}
		for _, name := range []string{"a", "gone", "here", "z"} {
			tree["/src/"+name] = "new " + name
		}
		tree["/src/sub"] = collection
		WriteTree(f.t, f.FS, tree)
		members := f.members("/src")
		f.succeeds(storage.Remove(f.ctx, f.FS, "/src/gone"))
		errs := f.copied(f.ctx, f.FS, "/src", "/dst", members)
		f.succeeds(errors.Join(errs["a"], errs["z"]))
		f.fails(errs["gone"], fs.ErrNotExist)
		f.fails(errs["here"], fs.ErrExist)
		f.fails(errs["sub"])
		delete(tree, "/src/gone")
		tree["/dst/a"], tree["/dst/z"] = "new a", "new z"
		f.holds(tree)
	}},
	{"CopyMembersStopped", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{"/src": collection, "/src/a": "x", "/src/b": "x", "/src/c": "x", "/dst": collection})
		copies := 0
		for _, err := range storage.CopyMembers(f.ctx, f.FS, storage.Copying{From: "/src", To: "/dst", Members: f.members("/src")}) {
			f.succeeds(err)
			if copies++; copies == 2 {
				break
			}
		}
		f.holds(Tree{
			"/src": collection, "/src/a": "x", "/src/b": "x", "/src/c": "x",
			"/dst": collection, "/dst/a": "x", "/dst/b": "x",
		})
	}},
	{"CopyMembersCancelled", func(f *fixture) {
		WriteTree(f.t, f.FS, Tree{"/src": collection, "/src/a": "x", "/src/b": "x", "/src/c": "x", "/dst": collection})
		ctx, cancel := context.WithCancel(f.ctx)
		defer cancel()
		for name, err := range storage.CopyMembers(ctx, f.FS, storage.Copying{From: "/src", To: "/dst", Members: f.members("/src")}) {
			if name == "a" {
				f.succeeds(err)
				cancel()
				continue
			}
			f.fails(err, context.Canceled)
		}
		if got := ReadTree(f.t, f.FS, "/dst"); len(got) != 1 || got["/dst/a"] != "x" {
			f.t.Errorf("the copies are %q, want one", got)
		}
	}},
	{"CopyMembersElsewhere", func(f *fixture) {
		want := Tree{"/src": collection, "/src/a": "x", "/file": "x", "/dst": collection}
		WriteTree(f.t, f.FS, want)
		members := f.members("/src")
		for _, names := range [][2]string{{"/no", "/dst"}, {"/src", "/no"}, {"/file", "/dst"}, {"/src", "/file"}} {
			// x/net's backends don't return fs.ErrNotExist for a name below a file.
			f.fails(f.copied(f.ctx, f.FS, names[0], names[1], members)["a"])
		}
		f.fails(f.copied(f.ctx, f.FS, "/src", "/src", members)["a"], fs.ErrExist)
		f.holds(want)
	}},
	{"CopyMembersConcurrent", func(f *fixture) {
		const files, goroutines = 100, 4
		tree := Tree{"/src": collection, "/dst": collection}
		for i := range files {
			tree[fmt.Sprintf("/src/%03d", i)] = string(noise(100 * i))
		}
		WriteTree(f.t, f.FS, tree)
		var wait sync.WaitGroup
		for part := range slices.Chunk(f.members("/src"), files/goroutines) {
			wait.Go(func() {
				for name, err := range storage.CopyMembers(f.ctx, f.FS, storage.Copying{From: "/src", To: "/dst", Members: part}) {
					if err != nil {
						f.t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
		wait.Wait()
		for i := range files {
			tree[fmt.Sprintf("/dst/%03d", i)] = tree[fmt.Sprintf("/src/%03d", i)]
		}
		if got := ReadTree(f.t, f.FS, "/"); len(got) != len(tree) || !sameTree(got, tree) {
			f.t.Error("the copies differ from their sources")
		}
	}},
	{"CopyMembersFaults", copyMembersFaults},
}

// members returns the members of the collection name, sorted by name.
func (f copies) members(name string) []fs.FileInfo {
	f.t.Helper()
	var members []fs.FileInfo
	for _, info := range f.list(name) {
		members = append(members, info)
	}
	slices.SortFunc(members, func(a, b fs.FileInfo) int {
		return slices.Compare([]byte(a.Name()), []byte(b.Name()))
	})
	return members
}

// copied copies members and returns the result for each. It checks that they come in order.
func (f copies) copied(ctx context.Context, fsys storage.FS, src, dst string, members []fs.FileInfo) map[string]error {
	f.t.Helper()
	errs := map[string]error{}
	i := 0
	for name, err := range storage.CopyMembers(ctx, fsys, storage.Copying{From: src, To: dst, Members: members}) {
		if i == len(members) || name != members[i].Name() {
			f.t.Fatalf("result %d is for %q", i, name)
		}
		errs[name] = err
		i++
	}
	if i != len(members) {
		f.t.Errorf("%d results, want %d", i, len(members))
	}
	return errs
}

func copyMembers(f *fixture) {
	tree := Tree{"/a": collection, "/a/src": collection, "/dst": collection, "/dst/stays": "x"}
	WriteTree(f.t, f.FS, tree)
	past := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	var size int64
	for i, perm := range []fs.FileMode{0o600, 0o640, 0o700, 0o666} {
		name := strconv.Itoa(i)
		content := noise([]int{0, 1, 70_000, large}[i])
		tree["/a/src/"+name], tree["/dst/"+name] = string(content), string(content)
		file, err := f.OpenFile(f.ctx, "/a/src/"+name, os.O_RDWR|os.O_CREATE, perm)
		f.succeeds(err)
		_, err = file.Write(content)
		f.succeeds(errors.Join(err, file.Close()))
		err = storage.SetTimes(f.ctx, f.FS, "/a/src/"+name, past)
		if !errors.Is(err, errors.ErrUnsupported) {
			f.succeeds(err)
		}
		size += int64(len(content))
	}
	members := f.members("/a/src")
	var wrote int64
	for name, err := range storage.CopyMembers(f.ctx, f.FS, storage.Copying{From: "/a/src", To: "/dst", Members: members, Wrote: func(n int64) {
		if n <= 0 {
			f.t.Errorf("%d bytes reported at once", n)
		}
		wrote += n
	}}) {
		if err != nil {
			f.t.Errorf("%s: %v", name, err)
		}
	}
	if wrote != size {
		f.t.Errorf("%d bytes reported, want %d", wrote, size)
	}
	if got := ReadTree(f.t, f.FS, "/"); len(got) != len(tree) || !sameTree(got, tree) {
		f.t.Error("the copies differ from their sources")
	}
	for _, member := range members {
		info := f.stat("/dst/" + member.Name())
		if got, want := info.Mode().Perm(), member.Mode().Perm(); got != want {
			f.t.Errorf("%s: permissions %o, want %o", member.Name(), got, want)
		}
		if f.keepsTimes() && !info.ModTime().Equal(past) {
			f.t.Errorf("%s: modified %v, want %v", member.Name(), info.ModTime(), past)
		}
	}
}

func (f copies) keepsTimes() bool {
	err := storage.SetTimes(f.ctx, f.FS, "/dst", time.Now())
	return !errors.Is(err, errors.ErrUnsupported)
}

// copyMembersFaults makes the first call fail, then the second, and so on until all have
// failed once. Each time, one member must have no copy and the fault as its error, and the
// other members must be copied.
func copyMembersFaults(f *fixture) {
	src := Tree{"/src": collection, "/dst": collection, "/src/a": string(noise(100)), "/src/b": string(noise(100_000)), "/src/c": ""}
	WriteTree(f.t, f.FS, src)
	members := f.members("/src")
	for n := 1; ; n++ {
		calls := 0
		var op, failed string
		fault := &Fault{FS: f.FS, Before: func(called, name string) error {
			if calls++; calls == n {
				op, failed = called, name
				return errFault
			}
			return nil
		}}
		want := Tree{}
		for name, err := range f.copied(f.ctx, fault, "/src", "/dst", members) {
			if err == nil {
				want["/dst/"+name] = src["/src/"+name]
				continue
			}
			f.fails(err, errFault)
			if failed != "/src/"+name && failed != "/dst/"+name {
				f.t.Errorf("%s fails because of %s of %s", name, op, failed)
			}
		}
		if got := ReadTree(f.t, f.FS, "/dst"); len(got) != len(want) || !sameTree(want, got) {
			f.t.Errorf("%s of %s fails: %d copies, want %d", op, failed, len(got), len(want))
		}
		if failed == "" {
			if n <= len(members) {
				f.t.Errorf("only %d calls to fail", n-1)
			}
			return
		}
		// A file that is open only for reading loses nothing if closing it fails.
		if len(want) == len(members) && op != "close" {
			f.t.Errorf("no error though %s of %s failed", op, failed)
		}
		for name := range want {
			f.succeeds(storage.Remove(f.ctx, f.FS, name))
		}
	}
}
