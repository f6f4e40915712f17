package storagetest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"testing"

	"github.com/davd/davd/storage"
)

// Tree is the content of a storage: the content of each file by name, and "/" for each
// collection. It doesn't contain the root.
type Tree map[string]string

// collection stands for the content of a collection in a [Tree].
const collection = "/"

// WriteTree creates tree in fsys. Each parent must exist or be in tree.
func WriteTree(tb testing.TB, fsys storage.FS, tree Tree) {
	tb.Helper()
	names := make([]string, 0, len(tree))
	for name := range tree {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if tree[name] == collection {
			if err := fsys.Mkdir(tb.Context(), name, 0o777); err != nil {
				tb.Fatal(err)
			}
			continue
		}
		writeFile(tb, fsys, name, tree[name])
	}
}

// ReadTree returns the files and collections below the collection root of fsys. It leaves out
// symbolic links and everything else without content.
func ReadTree(tb testing.TB, fsys storage.FS, root string) Tree {
	tb.Helper()
	tree := Tree{}
	readTree(tb, fsys, root, tree)
	return tree
}

func readTree(tb testing.TB, fsys storage.FS, dir string, tree Tree) {
	tb.Helper()
	for info, err := range storage.ReadDir(tb.Context(), fsys, dir) {
		if err != nil {
			tb.Fatal(err)
		}
		name := path.Join(dir, info.Name())
		switch {
		case info.IsDir():
			tree[name] = collection
			readTree(tb, fsys, name, tree)
		case info.Mode().IsRegular():
			tree[name] = readFile(tb, fsys, name)
		}
	}
}

func writeFile(tb testing.TB, fsys storage.FS, name, content string) {
	tb.Helper()
	f, err := fsys.OpenFile(tb.Context(), name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(f, content); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}

func readFile(tb testing.TB, fsys storage.FS, name string) string {
	tb.Helper()
	f, err := fsys.OpenFile(tb.Context(), name, os.O_RDONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer closeFile(tb, f)
	content, err := io.ReadAll(f)
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

// closeFile closes f. It accepts that a test has already closed f.
func closeFile(tb testing.TB, f io.Closer) {
	tb.Helper()
	if err := f.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		tb.Error(err)
	}
}
