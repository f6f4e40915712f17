package objectfs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// short and long are contents that are in the database and in an object.
var (
	short = "short"
	long  = strings.Repeat("long ", 50)
)

// before is the tree that each change starts with.
func before() storagetest.Tree {
	return storagetest.Tree{
		"/file": "old " + long, "/small": "old", "/dir": "/", "/dir/a": "a " + long, "/dir/b": "b", "/dir/sub": "/", "/dir/sub/c": "c " + long,
		"/other": "/", "/other/d": "d " + long,
	}
}

// change is a change of the storage that is made in one step. after changes a tree in the same way.
type change struct {
	name  string
	do    func(ctx context.Context, f storage.FS) error
	after func(tree storagetest.Tree)
}

func changes() []change {
	return []change{
		{"put a new object", putting("/new", long, true), with("/new", long)},
		{"put new content into the database", putting("/new", short, true), with("/new", short)},
		{"replace an object", putting("/file", "new "+long, false), with("/file", "new "+long)},
		{"replace by content in the database", putting("/file", short, false), with("/file", short)},
		{"replace content in the database", putting("/small", long, false), with("/small", long)},
		{"patch", patching("/file", 4, "patched"), with("/file", "old patched"+long[7:])},
		{"write to an open file", writing("/file", "NEW"), with("/file", "NEW "+long)},
		{"put in parts", inParts("/file", "one", long, "three"), with("/file", "one"+long+"three")},
		{"mkdir", func(ctx context.Context, f storage.FS) error { return f.Mkdir(ctx, "/new", 0o777) }, with("/new", "/")},
		{"rename a tree", func(ctx context.Context, f storage.FS) error { return f.Rename(ctx, "/dir", "/other/dir") }, func(tree storagetest.Tree) { rename(tree, "/dir", "/other/dir") }},
		{"rename onto a file", func(ctx context.Context, f storage.FS) error { return f.Rename(ctx, "/small", "/file") }, func(tree storagetest.Tree) { rename(tree, "/small", "/file") }},
		{"exchange", func(ctx context.Context, f storage.FS) error { return storage.Exchange(ctx, f, "/dir", "/file") }, func(tree storagetest.Tree) {
			rename(tree, "/file", "/x")
			rename(tree, "/dir", "/file")
			rename(tree, "/x", "/dir")
		}},
		{"remove a tree", func(ctx context.Context, f storage.FS) error { return storage.RemoveTree(ctx, f, "/dir") }, func(tree storagetest.Tree) { remove(tree, "/dir") }},
		{"remove a file", func(ctx context.Context, f storage.FS) error { return storage.Remove(ctx, f, "/file") }, func(tree storagetest.Tree) { remove(tree, "/file") }},
		{"copy a file", func(ctx context.Context, f storage.FS) error {
			return storage.CopyMember(ctx, f, "/file", "/dir/copy", fileInfo{name: "file"}, nil)
		}, func(tree storagetest.Tree) { tree["/dir/copy"] = tree["/file"] }},
	}
}

func with(name, content string) func(storagetest.Tree) {
	return func(tree storagetest.Tree) { tree[name] = content }
}

func remove(tree storagetest.Tree, name string) {
	maps.DeleteFunc(tree, func(at, _ string) bool { return storage.Contains(name, at) })
}

func rename(tree storagetest.Tree, from, to string) {
	for _, at := range slices.Sorted(maps.Keys(tree)) {
		if storage.Contains(from, at) {
			tree[to+strings.TrimPrefix(at, from)] = tree[at]
			delete(tree, at)
		}
	}
}

// putting replaces a file, or makes a new one.
func putting(name, content string, create bool) func(context.Context, storage.FS) error {
	return func(ctx context.Context, f storage.FS) error {
		r, err := storage.ReplaceFile(ctx, f, name, storage.Replacing{Perm: 0o666})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(r, content); err != nil {
			return errors.Join(err, r.Discard())
		}
		if err := storage.Prepare(ctx, r); err != nil {
			return errors.Join(err, r.Discard())
		}
		_, err = r.Commit(ctx, storage.Placing{Create: create, Check: func(fs.FileInfo) error { return nil }})
		return err
	}
}

func patching(name string, offset int64, content string) func(context.Context, storage.FS) error {
	return func(ctx context.Context, f storage.FS) error {
		r, err := storage.ReplaceFile(ctx, f, name, storage.Replacing{Perm: 0o666, Patch: func(fs.FileInfo) (int64, error) { return offset, nil }})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(r, content); err != nil {
			return errors.Join(err, r.Discard())
		}
		_, err = r.Commit(ctx, storage.Placing{})
		return err
	}
}

// writing overwrites the start of a file.
func writing(name, content string) func(context.Context, storage.FS) error {
	return func(ctx context.Context, f storage.FS) error {
		file, err := f.OpenFile(ctx, name, writeOnly, 0)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(file, content); err != nil {
			return err // The file is not closed, as after a kill.
		}
		return file.Close()
	}
}

// inParts replaces a file by content that is kept after each part. After an error it removes what
// was kept.
func inParts(name string, contents ...string) func(context.Context, storage.FS) error {
	const kept = storage.ReservedPrefix + "upload-test"
	return func(ctx context.Context, f storage.FS) (err error) {
		defer func() {
			if err != nil && !errors.Is(err, errKill) {
				err = errors.Join(err, f.RemoveAll(context.WithoutCancel(ctx), "/"+kept))
			}
		}()
		from := int64(0)
		for i, content := range contents {
			r, err := storage.ReplaceFile(ctx, f, name, storage.Replacing{Perm: 0o666, Kept: kept, From: from})
			if err != nil {
				return err
			}
			if _, err := io.WriteString(r, content); err != nil {
				return errors.Join(err, r.Discard())
			}
			from += int64(len(content))
			if i == len(contents)-1 {
				_, err = r.Commit(ctx, storage.Placing{})
			} else {
				err = storage.Keep(ctx, r, storage.SyncClose)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// fault makes one call fail.
type fault struct {
	calls, at int
	after     bool
	call      string // that has failed
	off       bool
}

func (f *fault) hook(call string, after bool) error {
	if f.off {
		return nil
	}
	if !after {
		f.calls++
	}
	if f.calls == f.at && after == f.after && f.call == "" {
		f.call = call
		return fmt.Errorf("%w in %s", errFault, call)
	}
	return nil
}

// hooked returns the FS of a site with hooks.
func (s *site) hooked(h hook) *objectfs.FS {
	return objectfs.New(objectfs.Options{Names: hookedNames{s.names, h}, Blobs: hookedBlobs{s.blobs, h}, Inline: inline})
}

// TestFaults makes each call of each change fail: before it has an effect, and so that its answer is
// lost. Then the tree is the one before or after the change, whole; it is the one before if no
// answer was lost; and it is the one after if the change was acknowledged. The collector removes
// everything that nothing refers to, and nothing more.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			db := kind.database(t)
			for _, change := range sweep.Sample(t, changes(), 4) {
				t.Run(change.name, func(t *testing.T) { testFaults(t, kind, db, change) })
			}
		})
	}
}

func testFaults(t *testing.T, kind kind, db names.Database, c change) {
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			s := newSite(t, db, kind.objects(t))
			storagetest.WriteTree(t, s, before())
			f := &fault{at: at, after: after}
			hooked := s.hooked(f.hook)
			err := c.do(t.Context(), hooked)
			f.off = true
			changed := before()
			c.after(changed)
			got := storagetest.ReadTree(t, s, "/")
			switch isOld, isNew := maps.Equal(got, before()), maps.Equal(got, changed); {
			case err == nil && !isNew:
				t.Errorf("fault %d (%s): acknowledged, but the tree is\n%v", at, f.call, got)
			case err != nil && !isOld && (!isNew || !after):
				t.Errorf("fault %d (%s): %v, and the tree is %v", at, f.call, err, got)
			case err != nil && f.call == "":
				t.Errorf("%v without a fault", err)
			}
			s.clean(t, hooked)
			if after := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, after) {
				t.Errorf("fault %d (%s): the collector has changed the tree to %v", at, f.call, after)
			}
			if f.call == "" {
				break
			}
		}
	}
}

// clean runs the collector with a grace of 0 and checks that no object is left that no file has, and
// that every file has its object.
func (s *site) clean(tb testing.TB, f *objectfs.FS) {
	tb.Helper()
	c := &objectfs.Collector{FS: f, Names: s.names, Grace: -1}
	if _, err := c.Collect(tb.Context(), true); err != nil {
		tb.Error(err)
	}
	checked, err := objectfs.Check(tb.Context(), s.names, s.blobs, objectfs.Checking{
		Content: true, Found: func(p objectfs.Problem) { tb.Errorf("problem: %+v", p) },
	})
	if err != nil || checked.Waiting != 0 {
		tb.Errorf("%d objects are left that no file has: %v", checked.Waiting, err)
	}
}
