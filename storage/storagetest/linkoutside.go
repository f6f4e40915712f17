package storagetest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/davd/davd/storage"
)

var linkOutsideChecks = []linkCheck{
	{"LinkOutside", func(f *linkFixture) {
		if f.outside {
			linkOutsideFollowed(f)
		} else {
			linkOutside(f)
		}
	}},
	{"RemoveAroundLinkOutside", func(f *linkFixture) {
		outside := f.t.TempDir()
		secret := filepath.Join(outside, "secret")
		f.succeeds(os.WriteFile(secret, []byte("secret"), 0o600))
		f.mkdir("/dir")
		f.symlink(outside, "/dir/link")
		f.symlink(secret, "/dir/file")
		f.symlink(outside, "/link")
		f.succeeds(storage.Remove(f.ctx, f.FS, "/link"))
		f.succeeds(f.Rename(f.ctx, "/dir/link", "/renamed"))
		f.isLink("/renamed")
		f.succeeds(f.RemoveAll(f.ctx, "/renamed"))
		f.succeeds(f.RemoveAll(f.ctx, "/dir"))
		f.holds(Tree{})
		f.onDisk(outside, "secret", "secret")
	}},
}

// linkOutside checks that no link leads out of the storage.
func linkOutside(f *linkFixture) {
	outside := f.t.TempDir()
	secret := filepath.Join(outside, "secret")
	f.succeeds(os.WriteFile(secret, []byte("secret"), 0o600))
	up := strings.Repeat("../", 50)
	f.mkdir("/dir")
	f.write("/src", "x")
	for link, target := range map[string]string{
		"/absolute":     outside,
		"/relative":     up + strings.TrimPrefix(filepath.ToSlash(outside), "/"),
		"/dir/relative": up + strings.TrimPrefix(filepath.ToSlash(outside), "/"),
	} {
		f.symlink(target, link)
		f.isDead(link)
		for _, name := range []string{link + "/secret", link + "/new", link + "/new/new"} {
			f.isClosed(name)
		}
	}
	f.symlink(secret, "/file")
	f.isDead("/file")
	f.symlink(filepath.Join(outside, "new"), "/new")
	f.isDead("/new")
	for _, name := range []string{"/file", "/new"} {
		f.fails(f.tryReplace(name, "x", false), fs.ErrPermission)
		f.isLink(name)
	}
	f.symlink("..", "/parent")
	f.isDead("/parent")
	f.isClosed("/parent/new")
	// A link to a link that leads outside leads nowhere either.
	f.symlink("absolute/secret", "/chain")
	f.isDead("/chain")

	f.onDisk(outside, "secret", "secret")
}

// linkOutsideFollowed checks that files outside can be read and written through links, and
// that removing a link doesn't remove its target.
func linkOutsideFollowed(f *linkFixture) {
	outside := f.t.TempDir()
	f.succeeds(os.WriteFile(filepath.Join(outside, "file"), []byte("content"), 0o600))
	f.mkdir("/dir")
	f.write("/src", "x")
	f.symlink(outside, "/link")
	f.symlink("../link", "/dir/chain")
	f.symlink(filepath.Join(outside, "file"), "/file")
	f.symlink(filepath.Join(outside, "new"), "/new")
	for _, name := range []string{"/file", "/link/file", "/dir/chain/file"} {
		if got := readFile(f.t, f.FS, name); got != "content" || f.stat(name).Size() != 7 {
			f.t.Errorf("%s reads %q, and has %d bytes", name, got, f.stat(name).Size())
		}
	}
	if members := f.list("/link"); len(members) != 1 || members["file"] == nil {
		f.t.Errorf("/link lists %v", members)
	}
	f.missing("/new")
	f.succeeds(f.tryReplace("/new", "new", false))
	f.onDisk(outside, "new", "new", "file", "content")
	f.succeeds(f.tryReplace("/file", "replaced", false))
	f.isLink("/file")
	f.succeeds(f.Mkdir(f.ctx, "/link/dir", 0o777))
	f.write("/dir/chain/dir/a", "a")
	f.succeeds(copyFile(f.ctx, f.FS, "/link/file", "/copy", nil))
	f.succeeds(copyFile(f.ctx, f.FS, "/src", "/link/copy", nil))
	if err := f.Rename(f.ctx, "/src", "/link/dir/b"); err != nil && !storage.Immovable(err) {
		f.t.Error(err)
	}
	f.succeeds(f.RemoveAll(f.ctx, "/link/dir"))
	f.succeeds(storage.Remove(f.ctx, f.FS, "/link/new"))
	f.onDisk(outside, "file", "replaced", "copy", "x")
	if got := readFile(f.t, f.FS, "/copy"); got != "replaced" {
		f.t.Errorf("/copy reads %q", got)
	}
	for _, name := range []string{"/link", "/file", "/new"} {
		f.succeeds(storage.Remove(f.ctx, f.FS, name))
		f.gone(name)
	}
	f.onDisk(outside, "file", "replaced", "copy", "x")
}

// onDisk checks that the directory dir of this machine contains files and nothing else. files
// are names and contents in turn.
func (f *linkFixture) onDisk(dir string, files ...string) {
	f.t.Helper()
	entries, err := os.ReadDir(dir)
	f.succeeds(err)
	if len(entries) != len(files)/2 {
		f.t.Errorf("outside contains %v, want %q", entries, files)
	}
	for ; len(files) > 0; files = files[2:] {
		content, err := os.ReadFile(filepath.Join(dir, files[0]))
		if err != nil || string(content) != files[1] {
			f.t.Errorf("outside, %s has %q, %v; want %q", files[0], content, err, files[1])
		}
	}
}

// isClosed checks that no call can reach name, which is below a link that leads outside.
func (f *linkFixture) isClosed(name string) {
	f.t.Helper()
	f.isDead(name)
	_, err := storage.Lstat(f.ctx, f.FS, name)
	f.fails(err, fs.ErrNotExist)
	f.fails(f.Mkdir(f.ctx, name, 0o777), fs.ErrPermission, fs.ErrNotExist)
	for _, flag := range append(modes, os.O_RDWR, os.O_RDWR|os.O_TRUNC, os.O_WRONLY|os.O_APPEND) {
		f.fails(f.tryOpen(name, flag), fs.ErrPermission, fs.ErrNotExist)
	}
	f.fails(f.tryReplace(name, "x", false), fs.ErrPermission, fs.ErrNotExist)
	f.fails(f.tryReplace(name, "x", true), fs.ErrPermission, fs.ErrNotExist)
	f.fails(f.Rename(f.ctx, "/src", name), fs.ErrPermission, fs.ErrNotExist)
	f.fails(f.Rename(f.ctx, name, "/dst"), fs.ErrPermission, fs.ErrNotExist)
	f.fails(storage.Remove(f.ctx, f.FS, name), fs.ErrPermission, fs.ErrNotExist)
	// RemoveAll may succeed, because the name does not exist. If it fails, then for lack of permission.
	if err := f.RemoveAll(f.ctx, name); err != nil {
		f.fails(err, fs.ErrPermission)
	}
}
