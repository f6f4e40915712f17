package storage_test

import (
	"os"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

// TestMemFS and TestDir run the suite on the fallbacks of the functions of
// package storage: x/net's backends have the five methods and nothing else.

func TestMemFS(t *testing.T) {
	storagetest.Suite{
		New: func(*testing.T) storage.FS { return webdav.NewMemFS() },
		Deviations: map[string]string{
			"CancelledBefore":                 "memFS ignores the context",
			"ErrorsCarryTheName":              "some of memFS' errors have no name",
			"Append":                          "memFS refuses O_APPEND with os.ErrInvalid",
			"OpenCollectionToWrite":           "memFS opens a collection to write",
			"WriteToFileOpenToRead":           "memFS writes to a file that was opened to read",
			"ParentIsFile":                    "memFS says os.ErrInvalid of a parent that is a file",
			"RemoveMembersElsewhere":          "memFS says os.ErrInvalid of a parent that is a file",
			"ReadDirMissing":                  "as ParentIsFile",
			"RemoveAllMissing":                "memFS says os.ErrNotExist of a parent that is missing",
			"RenameMissing":                   "memFS renames what is missing to itself",
			"RenameFileOntoEmptyCollection":   "memFS replaces a collection by a file",
			"RenameOntoCollectionWithMembers": "memFS replaces even this one by a file; its error is not os.ErrExist",
			"RenameIntoItself":                "as RenameOntoCollectionWithMembers",
			"ConcurrentRemove":                "without a storage.Remover, who comes second doesn't notice",
			"ConcurrentReplaceFile":           "without a storage.FileReplacer, who comes second may not notice",
			"ConcurrentStrangers":             "memFS' errors of a Rename match none",
		},
	}.Run(t)
}

// TestDir makes no symbolic links: webdav.Dir follows them to the outside.
func TestDir(t *testing.T) {
	storagetest.Suite{
		New: func(t *testing.T) storage.FS {
			t.Helper()
			return webdav.Dir(t.TempDir())
		},
		Deviations: map[string]string{
			"CancelledBefore":        "webdav.Dir ignores the context",
			"ErrorsCarryTheName":     "webdav.Dir's errors carry the path on disk",
			"ParentIsFile":           "webdav.Dir says syscall.ENOTDIR of a parent that is a file",
			"RemoveMembersElsewhere": "webdav.Dir says syscall.ENOTDIR of a parent that is a file",
			"ReadDirMissing":         "as ParentIsFile",
			"StatRoot":               "webdav.Dir's root has the name of the directory on disk",
			"NameWithNUL":            "webdav.Dir says os.ErrNotExist of making a name that can't be",
			"RenameOntoItself":       "webdav.Dir says os.ErrExist of a collection",
			"ConcurrentRemove":       "without a storage.Remover, who comes second doesn't notice",
			"ConcurrentReplaceFile":  "without a storage.FileReplacer, who comes second may not notice",
		},
	}.Run(t)
}

// The decorators of this package and of storagetest forward everything.
func TestDecorators(t *testing.T) {
	for name, decorate := range map[string]func(storage.FS) storage.FS{
		"WithLatency": func(fsys storage.FS) storage.FS { return storage.WithLatency(fsys, 1) },
		"Fault":       func(fsys storage.FS) storage.FS { return &storagetest.Fault{FS: fsys} },
	} {
		t.Run(name, func(t *testing.T) {
			links := map[storage.FS]string{}
			storagetest.Suite{
				New: func(t *testing.T) storage.FS {
					t.Helper()
					dir := t.TempDir()
					fsys := decorate(openLocal(t, dir))
					links[fsys] = dir
					return fsys
				},
				Symlink: func(t *testing.T, fsys storage.FS, target, name string) {
					t.Helper()
					if err := os.Symlink(target, links[fsys]+name); err != nil {
						t.Fatal(err)
					}
				},
				Readlink: func(t *testing.T, fsys storage.FS, name string) string {
					t.Helper()
					text, err := os.Readlink(links[fsys] + name)
					if err != nil {
						t.Fatal(err)
					}
					return text
				},
				FollowsLinks: true,
			}.Run(t)
		})
	}
}

func openLocal(t *testing.T, dir string) storage.FS {
	t.Helper()
	fsys, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fsys.Close(); err != nil {
			t.Error(err)
		}
	})
	return fsys
}
