package tree_test

import (
	"context"
	"io/fs"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// makes reports whether the call o is the call op or replaces it: a call that copies a
// batch opens, reads and writes the files itself.
func makes(o, op string) bool {
	inBatch := []string{"open", "read", "write", "settimes", "readdeadprops"}
	return o == op || o == "copymembers" && slices.Contains(inBatch, op)
}

// failing returns fsys with each call op of name failing with err. With "" every call
// fails.
func failing(fsys storage.FS, err error, op string, names ...string) storage.FS {
	return &storagetest.Fault{FS: fsys, Before: func(o, name string) error {
		if (op == "" || makes(o, op)) && slices.Contains(names, name) {
			return err
		}
		return nil
	}}
}

// before returns fsys, which calls f once, before the first call op of name.
func before(fsys storage.FS, op, name string, f func()) storage.FS {
	var once sync.Once
	return &storagetest.Fault{FS: fsys, Before: func(o, n string) error {
		if makes(o, op) && n == name {
			once.Do(f)
		}
		return nil
	}}
}

// brokenStream is an FS whose listing of name breaks with err after some members.
type brokenStream struct {
	storage.FS
	name  string
	after int
	err   error
}

func (b brokenStream) List(ctx context.Context, name string) (storage.Listing, error) {
	return storagetest.Stream(b.readDir(ctx, name)), nil
}

func (b brokenStream) readDir(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		n := 0
		for info, err := range storage.ReadDir(ctx, b.FS, name) {
			if name == b.name && n == b.after {
				yield(nil, b.err)
				return
			}
			n++
			if !yield(info, err) {
				return
			}
		}
	}
}

// counted returns fsys, which counts its calls op in n.
func counted(fsys storage.FS, op string, n *atomic.Int64) storage.FS {
	return &storagetest.Fault{FS: fsys, Before: func(o, _ string) error {
		if op == "" || o == op {
			n.Add(1)
		}
		return nil
	}}
}
