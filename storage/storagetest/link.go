package storagetest

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"github.com/davd/davd/storage"
)

// linkFixture is a storage that can contain symbolic links.
type linkFixture struct {
	*fixture
	symlink func(target, name string)
	// readlink may be nil.
	readlink func(name string) string
	follows  bool
	outside  bool // links that lead outside are followed too
}

type linkCheck struct {
	name string
	run  func(f *linkFixture)
}

func linkChecks() []linkCheck {
	return slices.Concat(linkPolicyChecks, linkOutsideChecks, copyLinkChecks)
}

var linkPolicyChecks = []linkCheck{
	{"LinkDangling", func(f *linkFixture) {
		f.write("/file", "x")
		f.symlink("nowhere", "/link")
		f.symlink("file/below", "/below")
		f.isDead("/link")
		f.isDead("/below")
		f.isDead("/link/a")
	}},
	{"LinkLoop", func(f *linkFixture) {
		f.symlink("b", "/a")
		f.symlink("a", "/b")
		f.symlink("self", "/self")
		f.mkdir("/dir")
		f.symlink("../dir/up", "/dir/up")
		for _, name := range []string{"/a", "/b", "/self", "/dir/up"} {
			f.isDead(name)
			f.isDead(name + "/child")
		}
	}},
	{"LinkInside", linkInside},
	{"LinkIsListed", func(f *linkFixture) {
		f.mkdir("/dir")
		f.symlink("dir", "/link")
		f.symlink("nowhere", "/dangling")
		members := f.list("/")
		for _, name := range []string{"link", "dangling"} {
			info := members[name]
			if info == nil || info.Mode()&fs.ModeSymlink == 0 || info.IsDir() {
				f.t.Errorf("%s is listed as %v; want a symbolic link", name, info)
			}
		}
	}},
	{"ReplaceFileThroughLink", replaceFileThroughLink},
	{"RemoveLink", func(f *linkFixture) {
		want := Tree{"/dir": collection, "/dir/file": "x"}
		WriteTree(f.t, f.FS, want)
		for _, remove := range []func(name string) error{
			func(name string) error { return storage.Remove(f.ctx, f.FS, name) },
			func(name string) error { return f.RemoveAll(f.ctx, name) },
		} {
			for _, target := range []string{"dir", "dir/file", "nowhere", "link"} {
				f.symlink(target, "/link")
				f.succeeds(remove("/link"))
				f.gone("/link")
				f.holds(want)
			}
		}
	}},
	{"RemoveAllAroundLink", func(f *linkFixture) {
		f.mkdir("/dir", "/tree")
		f.write("/dir/file", "x")
		f.symlink("../dir", "/tree/link")
		f.succeeds(f.RemoveAll(f.ctx, "/tree"))
		f.gone("/tree")
		f.holds(Tree{"/dir": collection, "/dir/file": "x"})
	}},
	{"RenameLink", func(f *linkFixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "x")
		f.symlink("dir", "/link")
		f.succeeds(f.Rename(f.ctx, "/link", "/renamed"))
		f.gone("/link")
		f.isLink("/renamed")
		f.write("/new", "y")
		f.succeeds(f.Rename(f.ctx, "/new", "/renamed"))
		f.holds(Tree{"/dir": collection, "/dir/file": "x", "/renamed": "y"})
	}},
}

// linkInside checks that links that stay inside are followed, or denied if the backend
// doesn't follow links.
func linkInside(f *linkFixture) {
	f.mkdir("/dir", "/dir/sub")
	f.write("/dir/file", "content")
	f.symlink("dir/file", "/file")
	f.symlink("dir", "/link")
	f.symlink("../file", "/dir/sub/up")
	f.symlink("file", "/chain")
	for _, name := range []string{"/file", "/link", "/dir/sub/up", "/chain"} {
		f.isLink(name)
	}
	files := []string{"/file", "/link/file", "/dir/sub/up", "/chain", "/link/sub/up"}
	if !f.follows {
		for _, name := range append(files, "/link", "/link/sub") {
			f.missing(name)
		}
		f.fails(f.Mkdir(f.ctx, "/link/new", 0o777), fs.ErrNotExist, fs.ErrPermission)
		f.fails(f.tryOpen("/link/new", os.O_RDWR|os.O_CREATE), fs.ErrNotExist, fs.ErrPermission)
		f.fails(f.Rename(f.ctx, "/dir/file", "/link/new"), fs.ErrNotExist, fs.ErrPermission)
		f.fails(f.Rename(f.ctx, "/link/file", "/new"), fs.ErrNotExist, fs.ErrPermission)
		f.fails(storage.Remove(f.ctx, f.FS, "/link/file"), fs.ErrNotExist, fs.ErrPermission)
		if err := f.RemoveAll(f.ctx, "/link/file"); err != nil {
			f.fails(err, fs.ErrPermission)
		}
		f.fails(f.tryOpen("/file", os.O_RDWR|os.O_CREATE|os.O_TRUNC), fs.ErrPermission)
		f.holds(Tree{"/dir": collection, "/dir/sub": collection, "/dir/file": "content"})
		return
	}
	for _, name := range files {
		info := f.stat(name)
		if info.Name() != path.Base(name) || info.Size() != 7 || !info.Mode().IsRegular() {
			f.t.Errorf("Stat(%q): %s; want the link's name and the file's properties", name, fs.FormatFileInfo(info))
		}
		if got := readFile(f.t, f.FS, name); got != "content" {
			f.t.Errorf("%s reads %q", name, got)
		}
	}
	f.write("/link/new", "new")
	f.write("/file", "changed")
	f.isLink("/file")
	if members := f.list("/link"); len(members) != 3 {
		f.t.Errorf("/link lists %v", members)
	}
	f.holds(Tree{"/dir": collection, "/dir/sub": collection, "/dir/file": "changed", "/dir/new": "new"})
}

// replaceFileThroughLink checks that replacing a file through a link replaces the target and
// keeps the link, if the backend follows links.
func replaceFileThroughLink(f *linkFixture) {
	f.mkdir("/dir", "/dir/sub")
	f.write("/dir/file", "old")
	links := map[string]string{
		"/file": "dir/file", "/dir/sub/up": "../file", "/chain": "file", "/link": "dir/sub",
		"/around": "link/../file", "/below": "link/up", "/nowhere": "dir/new", "/loop": "loop", "/slash": "dir/new/",
	}
	for name, target := range links {
		f.symlink(target, name)
	}
	want := Tree{"/dir": collection, "/dir/sub": collection, "/dir/file": "old"}
	for _, name := range []string{"/link", "/loop", "/slash"} {
		f.fails(f.tryReplace(name, "x", false), syscall.EISDIR, fs.ErrPermission, fs.ErrNotExist)
		// This fails before anything is written.
		_, err := storage.ReplaceFile(f.ctx, f.FS, name, storage.Replacing{Perm: 0o666})
		f.fails(err)
	}
	for _, name := range []string{"/file", "/dir/sub/up", "/chain", "/around", "/below", "/link/up", "/nowhere"} {
		if !f.follows {
			f.fails(f.tryReplace(name, name, false), fs.ErrPermission, fs.ErrNotExist)
			continue
		}
		f.fails(f.tryReplace(name, "x", true), fs.ErrExist)
		info, err := f.replace(name, name).Commit(f.ctx, storage.Placing{})
		f.succeeds(err)
		f.describes(info, name, int64(len(name)))
		target := "/dir/file"
		if name == "/nowhere" {
			target = "/dir/new"
		}
		want[target] = name
		f.holds(want)
	}
	f.holds(want)
	for name := range links {
		f.isLink(name)
	}
}

// isLink checks that Lstat describes name as a symbolic link.
func (f *linkFixture) isLink(name string) {
	f.t.Helper()
	info, err := storage.Lstat(f.ctx, f.FS, name)
	f.succeeds(err)
	if info.Mode()&fs.ModeSymlink == 0 || info.Name() != path.Base(name) {
		f.t.Errorf("Lstat(%q): %s; want a symbolic link", name, fs.FormatFileInfo(info))
	}
}

// isDead checks that name can't be read, written or created. name may be a link that leads
// nowhere, or a name below such a link.
func (f *linkFixture) isDead(name string) {
	f.t.Helper()
	f.missing(name)
	for info, err := range storage.ReadDir(f.ctx, f.FS, name) {
		if err == nil {
			f.t.Errorf("%s lists %s", name, info.Name())
		}
	}
	f.fails(f.Mkdir(f.ctx, name, 0o777))
	f.fails(f.tryOpen(name, os.O_RDWR|os.O_CREATE|os.O_EXCL))
	f.fails(f.tryOpen(name, os.O_WRONLY))
	f.fails(copyFile(f.ctx, f.FS, name, "/copy", nil), fs.ErrNotExist)
	f.gone("/copy")
}

func (f *linkFixture) gone(name string) {
	f.t.Helper()
	_, err := storage.Lstat(f.ctx, f.FS, name)
	f.fails(err, fs.ErrNotExist)
}
