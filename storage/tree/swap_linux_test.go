package tree_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// TestSwappedDirectory: while something is built at the destination, another process
// renames the parent collection and puts another one in its place. No reserved name
// stays in either.
func TestSwappedDirectory(t *testing.T) {
	for _, method := range []string{"COPY", "MOVE"} {
		for _, link := range []bool{false, true} {
			calls := swapAt(t, method, link, -1)
			if calls < 4 {
				t.Fatalf("%s makes %d calls", method, calls)
			}
			for n := range calls {
				swapAt(t, method, link, n)
			}
		}
	}
}

// swapAt swaps the directory before call n, and returns the number of calls.
func swapAt(t *testing.T, method string, link bool, n int) int {
	t.Helper()
	fsys, dir := newLocal(t)
	build(t, fsys, layout{
		"/source/a": "1", "/source/c/b": "2", "/dir/target/old": "3", "/dir/target/c/older": "4",
		"/other/target": collection,
	})
	var calls atomic.Int64 // from several goroutines
	swapped := &storagetest.Fault{FS: fsys, Before: func(string, string) error {
		if calls.Add(1) == int64(n)+1 {
			noError(t, os.Rename(dir+"/dir", dir+"/renamed"))
			if link {
				noError(t, os.Symlink("other", dir+"/dir"))
			} else {
				noError(t, os.Rename(dir+"/other", dir+"/dir"))
			}
		}
		return nil
	}}
	// Whether the operation fails depends on the call.
	if method == "COPY" {
		_ = copyTree(t.Context(), swapped, "/source", "/dir/target", tree.Infinite, nil)
	} else {
		_ = moveTree(t.Context(), swapped, "/source", "/dir/target", nil)
	}
	walkErr := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if strings.HasPrefix(path.Base(p), ".davd-") {
			t.Errorf("%s, swapped before call %d, link %t: %s stays (%v)", method, n, link, strings.TrimPrefix(p, dir), err)
			return fs.SkipDir
		}
		return err
	})
	noError(t, walkErr)
	return int(calls.Load())
}

// TestSourceChanges: if a file of the source becomes a collection during the copy, or
// the reverse, the error is ErrSourceChanged.
func TestSourceChanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		layout layout
		change func(dir string) error
	}{
		{"a file becomes a collection", layout{"/source": "x"}, func(dir string) error {
			return errors.Join(os.Remove(dir+"/source"), os.Mkdir(dir+"/source", 0o755))
		}},
		{"a collection becomes a file", layout{"/source/a": "x"}, func(dir string) error {
			return errors.Join(os.RemoveAll(dir+"/source"), os.WriteFile(dir+"/source", nil, 0o644))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys, dir := newLocal(t)
			build(t, fsys, c.layout)
			changed := false
			fault := &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
				if (op == "open" || op == "copymembers") && name == "/source" && !changed {
					changed = true
					noError(t, c.change(dir))
				}
				return nil
			}}
			err := copyTree(t.Context(), fault, "/source", "/copy", tree.Infinite, nil)
			if !errors.Is(err, storage.ErrSourceChanged) {
				t.Errorf("COPY: %v, want storage.ErrSourceChanged", err)
			}
			if _, err := os.Lstat(dir + "/copy"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the destination exists: %v", err)
			}
		})
	}
}

// TestOutOfFiles: without a free descriptor a COPY fails as a whole and can be
// repeated, instead of naming every member.
func TestOutOfFiles(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE} {
		fsys, dir := newLocal(t)
		build(t, fsys, layout{"/source/a": "1", "/source/b": "2", "/source/c/d": "3", "/target": "old"})
		fault := &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
			if op == "copymembers" || op == "open" && strings.HasSuffix(name, "/b") {
				return &fs.PathError{Op: op, Path: name, Err: errno}
			}
			return nil
		}}
		err := copyTree(t.Context(), fault, "/source", "/target", tree.Infinite, nil)
		var partial *tree.PartialError
		if !storage.OutOfFiles(err) || errors.As(err, &partial) {
			t.Errorf("%v: COPY: %v", errno, err)
		}
		if content, err := os.ReadFile(dir + "/target"); err != nil || string(content) != "old" {
			t.Errorf("%v: the destination is %q, %v", errno, content, err)
		}
	}
}
