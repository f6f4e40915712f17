package objectfs_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/storagetest"
)

// TestCheck checks what is reported of a file whose object is missing, of one with another size, of an
// object that no row knows, and of one that waits for the collector.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, kind.database(t), kind.objects(t))
			keys := map[string]string{}
			for _, name := range []string{"/whole", "/missing", "/size", "/removed"} {
				s.put(t, name, long)
				node, err := s.names.Find(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				keys[name] = node.Blob
			}
			s.put(t, "/small", short)
			if err := errors.Join(s.RemoveAll(t.Context(), "/removed"), s.blobs.Remove(t.Context(), []string{keys["/missing"], keys["/size"]})); err != nil {
				t.Fatal(err)
			}
			if _, err := (&objectfs.Collector{FS: s.FS, Names: s.names}).Collect(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			s.write(t, keys["/size"], "other", blobs.Meta{})
			s.write(t, "dead-1", "orphan", blobs.Meta{})
			var got []objectfs.Problem
			how := objectfs.Checking{Found: func(p objectfs.Problem) { got = append(got, p) }}
			checked, err := objectfs.Check(t.Context(), s.names, s.blobs, how)
			want := []objectfs.Problem{
				{Kind: objectfs.Missing, Key: keys["/missing"], Name: "/missing", Want: int64(len(long))},
				{Kind: objectfs.WrongSize, Key: keys["/size"], Name: "/size", Want: int64(len(long)), Have: 5},
				{Kind: objectfs.Orphan, Key: "dead-1", Have: 6},
			}
			for _, p := range want {
				if !slices.Contains(got, p) {
					t.Errorf("%+v was not found", p)
				}
			}
			counts := objectfs.Checked{Files: 3, Bytes: 2 * int64(len(long)), Waiting: 1, Missing: 1, WrongSize: 1, Orphans: 1}
			if err != nil || len(got) != len(want) || checked != counts || !checked.Damaged() {
				t.Errorf("checked %+v, %v, and found %+v; want %+v", checked, err, got, counts)
			}
		})
	}
}

// TestCheckContent checks that a check that reads finds the object whose content was changed, among more
// than it reads at a time, and that one that doesn't read finds nothing.
func TestCheckContent(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, kind.database(t), kind.objects(t))
			const files = 20
			for i := range files {
				s.put(t, fmt.Sprintf("/%d", i), long)
			}
			node, err := s.names.Find(t.Context(), "/7")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.blobs.Remove(t.Context(), []string{node.Blob}); err != nil {
				t.Fatal(err)
			}
			s.write(t, node.Blob, "!"+long[1:], blobs.Meta{})
			for _, content := range []bool{false, true} {
				var got []objectfs.Problem
				steps := 0
				checked, err := objectfs.Check(t.Context(), s.names, s.blobs, objectfs.Checking{
					Content: content, Found: func(p objectfs.Problem) { got = append(got, p) }, Progress: func(objectfs.Checked) { steps++ },
				})
				size := int64(len(long))
				want := objectfs.Checked{Files: files, Bytes: files * size}
				var problems []objectfs.Problem
				if content {
					want.Read, want.Corrupt = files*size, 1
					problems = []objectfs.Problem{{Kind: objectfs.Corrupt, Key: node.Blob, Name: "/7", Want: size, Have: size}}
				}
				if err != nil || checked != want || checked.Damaged() != content || steps != files || !slices.EqualFunc(got, problems, func(a, b objectfs.Problem) bool { return a == b }) {
					t.Errorf("checked %+v in %d steps, %v, and found %+v; want %+v and %+v", checked, steps, err, got, want, problems)
				}
			}
		})
	}
}

// TestRebuild loses a database, and makes the files again from their objects.
func TestRebuild(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			objects := kind.objects(t)
			s := newSite(t, kind.database(t), objects)
			storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/", "/dir/sub": "/", "/dir/sub/a.txt": "a " + long, "/b": "b " + long, "/.c": "c " + long})
			modified := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
			r, err := s.ReplaceFile(t.Context(), "/b", storage.Replacing{Perm: 0o666, Modified: modified})
			if err == nil {
				_, err = r.Write([]byte("new b " + long))
			}
			if err == nil {
				_, err = r.Commit(t.Context(), storage.Placing{Modified: modified})
			}
			if err != nil {
				t.Fatal(err)
			}
			s.write(t, "dead-1", "nameless", blobs.Meta{})
			s.write(t, "zzzzzz-2", "deep", blobs.Meta{Name: "/b/below"})

			again := newSite(t, kind.database(t), objects)
			found := map[string]objectfs.Rebuilt{}
			err = objectfs.Rebuild(t.Context(), again.names, objects, func(r objectfs.Rebuilt) { found[r.Name] = r })
			if err != nil {
				t.Fatal(err)
			}
			tree := storagetest.ReadTree(t, again, "/")
			want := storagetest.Tree{
				"/dir": "/", "/dir/sub": "/", "/dir/sub/a.txt": "a " + long, "/b": "new b " + long, "/.c": "c " + long,
				"/recovered": "/", "/recovered/dead-1": "nameless",
			}
			// The times of S3 are exact to the second, so either content may be the newer.
			sameSecond := tree["/b"] == "b "+long && kind.name == "PostgreSQLS3"
			if sameSecond {
				want["/b"] = "b " + long
			}
			older := 0
			for name, content := range tree {
				switch {
				case name != "/b" && (content == "b "+long || content == "new b "+long) || content == "deep":
					older++
					delete(tree, name)
				case content == "/" && want[name] == "":
					delete(tree, name) // the collection that couldn't be /b
				}
			}
			if older != 2 || !maps.Equal(tree, want) {
				t.Errorf("the tree is %v, want %v", tree, want)
			}
			if info, err := again.Stat(t.Context(), "/b"); err != nil || !info.ModTime().Equal(modified) && !sameSecond {
				t.Errorf("/b: %v, %v; want %v", info, err, modified)
			}
			again.clean(t, again.FS)
			if err := objectfs.Rebuild(t.Context(), again.names, objects, nil); !errors.Is(err, objectfs.ErrNotEmpty) {
				t.Errorf("rebuilding again: %v", err)
			}
		})
	}
}
