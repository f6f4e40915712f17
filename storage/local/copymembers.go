package local

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"

	"github.com/davd/davd/storage"
)

// CopyMembers copies members of the collection c.From. It opens both collections only
// once. If a member was described as a file but is a symbolic link that stays inside,
// CopyMembers copies the link's target. It treats FIFOs, sockets and devices as missing.
// The copies may go to another directory that is a *FS.
//
// A copy gets the permission bits of its source, whatever the umask is, but not the set-ID
// bits, and its modification time. On Linux it also gets the holes, the extended
// attributes of the namespace user and the POSIX ACL, and shares the blocks if the
// filesystem can do that. If the filesystem of the copy doesn't store one of these or has
// no room for it, the copy lacks it; that is not an error. A copy without the ACL gives its
// owning group only what the ACL gave that group.
//
// If a file grows meanwhile, the copy has at least the old length. A relative link leads
// elsewhere if its copy has another depth.
func (f *FS) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	into, ok := f.beside(c.Into)
	if !ok {
		return storage.CopyEach(ctx, f, c)
	}
	return func(yield func(string, error) bool) {
		from, fromErr := f.openPlace(c.From)
		defer from.close()
		to, toErr := into.openTarget(c.To, c.Wrote)
		defer to.close()
		openErr := cmp.Or(f.meaning(fromErr, reading), into.meaning(toErr, writing))
		for _, member := range c.Members {
			err := cmp.Or(ctx.Err(), openErr)
			if err == nil {
				err = f.copyMember(ctx, from, to, c, member)
			}
			if err != nil {
				err = &os.LinkError{Op: "copy", Old: c.Source(member), New: c.Target(member), Err: err}
			}
			if !yield(member.Name(), err) {
				return
			}
		}
	}
}

// place is an open collection to copy files from or to.
type place struct {
	fsys  *FS
	local string
	dir   handle
}

func (f *FS) openPlace(name string) (place, error) {
	local, ok := localName(name)
	if !ok {
		return place{}, fs.ErrNotExist
	}
	dir, err := f.openHandle(local)
	return place{fsys: f, local: local, dir: dir}, err
}

func (p place) close() {
	if p.dir != nil {
		_ = p.dir.Close()
	}
}

// beside returns the directory into, or f if into is nil. It returns false for an FS of
// another kind.
func (f *FS) beside(into storage.FS) (*FS, bool) {
	if into == nil {
		return f, true
	}
	other, ok := into.(*FS)
	return other, ok
}

func (f *FS) copyMember(ctx context.Context, from place, to *target, c storage.Copying, member fs.FileInfo) error {
	name, ok := memberName(member.Name())
	as, valid := name, true
	if c.As != "" {
		as, valid = memberName(c.As)
	}
	switch {
	case !ok, special(member):
		return fs.ErrNotExist
	case !valid:
		return fs.ErrInvalid
	case member.IsDir():
		return syscall.EISDIR
	case member.Mode()&fs.ModeSymlink != 0:
		return f.copyLink(filepath.Join(from.local, name), to.fsys, filepath.Join(to.local, as))
	}
	file, err := from.open(name)
	if err != nil {
		return f.meaning(err, reading)
	}
	defer file.close()
	return to.fsys.meaning(to.copy(ctx, file, as, file.perm()), writing)
}

// copyLink creates the symbolic link to with the same target text as the link from.
func (f *FS) copyLink(from string, into *FS, to string) error {
	info, err := f.root.Lstat(from)
	if err != nil {
		return f.meaning(err, reading)
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return fs.ErrInvalid
	}
	text, err := f.root.Readlink(from)
	if err != nil {
		return f.meaning(err, reading)
	}
	return into.meaning(into.root.Symlink(text, to), writing)
}
