package storagetest

import (
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// copyLinkChecks apply to every link policy: a link is copied wherever it leads.
var copyLinkChecks = []linkCheck{
	{"CopyLink", func(f *linkFixture) {
		f.mkdir("/dir")
		f.write("/file", "x")
		if !f.copiesLinks() {
			return
		}
		outside := f.t.TempDir()
		for name, text := range map[string]string{
			"/near": "file", "/down": "dir", "/dangling": "no/where", "/loop": "loop", "/up": "../../up/../x",
			"/outside": outside, "/odd": "a b%41\xff",
		} {
			f.symlink(text, name)
			dst := "/dir" + name
			f.succeeds(f.copyLink(name, dst))
			f.isLink(dst)
			f.says(dst, text)
			f.says(name, text)
			f.isLink(name)
		}
		f.onDisk(outside)
		f.holds(Tree{"/dir": collection, "/file": "x"})
	}},
	{"CopyLinkImpossible", func(f *linkFixture) {
		f.mkdir("/dir")
		f.write("/file", "x")
		if !f.copiesLinks() {
			return
		}
		f.symlink("nowhere", "/link")
		f.symlink("dir", "/other")
		for _, test := range []struct {
			src, dst string
			want     error
		}{
			{"/no", "/new", fs.ErrNotExist},
			{"/file/no", "/new", fs.ErrNotExist},
			{"/file", "/new", fs.ErrInvalid},
			{"/dir", "/new", fs.ErrInvalid},
			{"/", "/new", fs.ErrNotExist},
			{"/link", "/file", fs.ErrExist},
			{"/link", "/dir", fs.ErrExist},
			{"/link", "/other", fs.ErrExist},
			{"/link", "/link", fs.ErrExist},
			{"/link", "/", fs.ErrInvalid},
			{"/link", "/no/new", fs.ErrNotExist},
			{"/link", "/file/new", fs.ErrNotExist},
		} {
			err := f.copyLink(test.src, test.dst)
			f.fails(err, test.want)
			f.carry(test.src, err)
		}
		f.gone("/new")
		f.holds(Tree{"/dir": collection, "/file": "x"})
		f.says("/link", "nowhere")
		f.says("/other", "dir")
	}},
}

// copyLink copies the symbolic link src to dst.
func (f *linkFixture) copyLink(src, dst string) error {
	return storage.CopyMember(f.ctx, f.FS, src, dst, entryInfo{mode: fs.ModeSymlink | 0o777}, nil)
}

// copiesLinks reports whether the storage can copy links. If it can't, it must return
// errors.ErrUnsupported and create nothing.
func (f *linkFixture) copiesLinks() bool {
	f.t.Helper()
	f.symlink("nowhere", "/first")
	err := f.copyLink("/first", "/copy")
	if !errors.Is(err, errors.ErrUnsupported) {
		f.succeeds(err)
		f.succeeds(storage.Remove(f.ctx, f.FS, "/copy"))
		return true
	}
	f.t.Logf("this backend can't copy links: %v", err)
	f.gone("/copy")
	return false
}

// says checks the target text of the link name, if the suite can read it.
func (f *linkFixture) says(name, text string) {
	f.t.Helper()
	if f.readlink == nil {
		return
	}
	if got := f.readlink(name); got != text {
		f.t.Errorf("the target of %s is %q, want %q", name, got, text)
	}
}
