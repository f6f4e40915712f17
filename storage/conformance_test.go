package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/spf13/afero"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/intercept"
	"github.com/davd/davd/storage/junk"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/storagetest"
)

// TestMemFS and TestDir run the suite on the fallbacks of package storage, because x/net's
// backends implement only the five methods.

func TestMemFS(t *testing.T) {
	storagetest.Suite{
		New: func(*testing.T) storage.FS { return webdav.NewMemFS() },
		Deviations: map[string]string{
			"CancelledBefore":                 "memFS ignores the context",
			"ErrorsCarryTheName":              "some errors of memFS contain no name",
			"Append":                          "memFS refuses O_APPEND with os.ErrInvalid",
			"OpenCollectionToWrite":           "memFS opens a collection for writing",
			"WriteToFileOpenToRead":           "memFS writes to a file that is open for reading",
			"ParentIsFile":                    "memFS returns os.ErrInvalid if the parent is a file",
			"RemoveMembersElsewhere":          "memFS returns os.ErrInvalid if the parent is a file",
			"ReadDirMissing":                  "same as ParentIsFile",
			"RemoveAllMissing":                "memFS returns os.ErrNotExist if the parent is missing",
			"RenameMissing":                   "memFS succeeds if both names are the same missing one",
			"RenameFileOntoEmptyCollection":   "memFS replaces a collection by a file",
			"RenameOntoCollectionWithMembers": "memFS replaces even this one by a file; its error is not os.ErrExist",
			"RenameIntoItself":                "same as RenameOntoCollectionWithMembers",
			"ConcurrentRemove":                "without a storage.Remover, the second caller gets no error",
			"ConcurrentReplaceFile":           "without a storage.FileReplacer, the second caller may get no error",
			"ConcurrentStrangers":             "the errors of Rename in memFS match no known error",
		},
	}.Run(t)
}

// TestDirRequired checks that x/net's backend does all that davd requires.
func TestDirRequired(t *testing.T) {
	storagetest.TestRequired(t, func(t *testing.T) storage.FS {
		t.Helper()
		return webdav.Dir(t.TempDir())
	})
}

// TestDir creates no symbolic links, because webdav.Dir follows them outside.
func TestDir(t *testing.T) {
	storagetest.Suite{
		Tiers: []storagetest.Tier{storagetest.Capability, storagetest.Optional},
		New: func(t *testing.T) storage.FS {
			t.Helper()
			return webdav.Dir(t.TempDir())
		},
		Deviations: map[string]string{
			"CancelledBefore":        "webdav.Dir ignores the context",
			"ErrorsCarryTheName":     "the errors of webdav.Dir contain the path on disk",
			"ParentIsFile":           "webdav.Dir returns syscall.ENOTDIR if the parent is a file",
			"RemoveMembersElsewhere": "webdav.Dir returns syscall.ENOTDIR if the parent is a file",
			"ReadDirMissing":         "same as ParentIsFile",
			"StatRoot":               "the root of webdav.Dir has the name of the directory on disk",
			"NameWithNUL":            "webdav.Dir returns os.ErrNotExist when it should create a name with a NUL",
			"RenameOntoItself":       "webdav.Dir returns os.ErrExist for a collection",
			"ConcurrentRemove":       "without a storage.Remover, the second caller gets no error",
			"ConcurrentReplaceFile":  "without a storage.FileReplacer, the second caller may get no error",
		},
	}.Run(t)
}

// TestDecorators checks that the decorators of this package and of storagetest forward every
// capability.
func TestDecorators(t *testing.T) {
	for name, decorate := range map[string]func(storage.FS) storage.FS{
		"latency": func(fsys storage.FS) storage.FS { return latency.New(fsys, 1) },
		"Fault":   func(fsys storage.FS) storage.FS { return &storagetest.Fault{FS: fsys} },
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
			}.OnDisk(func(_ *testing.T, fsys storage.FS, name string) string { return links[fsys] + name }).Run(t)
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

// TestWholeTrees runs the suite on a storage that can copy and remove whole trees, and on its
// decorators, which forward that.
func TestWholeTrees(t *testing.T) {
	trees := func(t *testing.T) storage.FS {
		t.Helper()
		return storagetest.WholeTrees(aferofs.New(afero.NewMemMapFs()))
	}
	everything, err := access.NewPolicy([]access.Share{{At: "/", Rules: []access.Rule{
		{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite},
	}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, decorated := range map[string]func(t *testing.T) storage.FS{
		"bare":      trees,
		"junk":      func(t *testing.T) storage.FS { return junk.New(trees(t), junk.Refuse) },
		"observed":  func(t *testing.T) storage.FS { return intercept.Observe(trees(t), func(string, time.Duration) {}) },
		"intercept": func(t *testing.T) storage.FS { return &storagetest.Fault{FS: trees(t)} },
		"access":    func(t *testing.T) storage.FS { return access.New(trees(t), everything) },
		"mount": func(t *testing.T) storage.FS {
			t.Helper()
			fsys, err := mount.New(mount.Share{ID: "all", At: "/", Open: func(context.Context, string) (storage.FS, error) { return trees(t), nil }})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = fsys.Close() })
			return fsys
		},
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.Suite{New: decorated, WholeTrees: true, Tiers: []storagetest.Tier{storagetest.Capability}}.Run(t)
		})
	}
}
