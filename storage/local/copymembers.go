package local

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"github.com/davd/davd/storage"
)

// CopyMembers copies files from the collection src to the collection dst. It opens both
// collections only once. If a member is a symbolic link that stays inside, it copies the
// link's target. It treats FIFOs, sockets and devices as missing.
//
// A copy gets the permission bits of its source, whatever the umask is, but not the set-ID
// bits, and its modification time. On Linux it also gets the holes, the extended
// attributes of the namespace user and the POSIX ACL, and shares the blocks if the
// filesystem can do that. If the filesystem of the copy doesn't store one of these or has
// no room for it, the copy lacks it; that is not an error. A copy without the ACL gives its
// owning group only what the ACL gave that group.
//
// If a file grows meanwhile, the copy has at least the old length.
func (f *FS) CopyMembers(ctx context.Context, src, dst string, members []fs.FileInfo, wrote func(n int64)) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		from, fromErr := f.openSource(src)
		defer from.close()
		to, toErr := f.openTarget(dst, wrote)
		defer to.close()
		openErr := cmp.Or(f.meaning(fromErr, reading), f.meaning(toErr, writing))
		for _, member := range members {
			name := member.Name()
			err := cmp.Or(ctx.Err(), openErr)
			if err == nil {
				err = f.copyMember(ctx, from, to, member)
			}
			if err != nil {
				err = &os.LinkError{Op: "copy", Old: path.Join(src, name), New: path.Join(dst, name), Err: err}
			}
			if !yield(name, err) {
				return
			}
		}
	}
}

func (f *FS) copyMember(ctx context.Context, from *source, to *target, member fs.FileInfo) error {
	name, ok := memberName(member.Name())
	switch {
	case !ok, special(member):
		return fs.ErrNotExist
	case member.IsDir():
		return syscall.EISDIR
	}
	file, err := from.open(name)
	if err != nil {
		return f.meaning(err, reading)
	}
	defer file.close()
	return f.meaning(to.copy(ctx, file, name, file.perm(), true), writing)
}

// CopyFile copies src to the new file dst as CopyMembers does, except that the copy has
// the permission bits perm and the current time as its modification time.
func (f *FS) CopyFile(ctx context.Context, src, dst string, perm fs.FileMode, wrote func(n int64)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.copyFile(ctx, src, dst, perm.Perm(), wrote); err != nil {
		return &os.LinkError{Op: "copy", Old: src, New: dst, Err: err}
	}
	return nil
}

func (f *FS) copyFile(ctx context.Context, src, dst string, perm fs.FileMode, wrote func(n int64)) error {
	from, ok := localName(src)
	if !ok {
		return fs.ErrNotExist
	}
	local, ok := localName(dst)
	switch {
	case !ok:
		return fs.ErrInvalid
	case local == rootName:
		return fs.ErrExist
	}
	file, err := f.openOriginal(from)
	if err != nil {
		return f.meaning(err, reading)
	}
	defer file.close()
	to, err := f.openTarget(path.Dir(storage.Clean(dst)), wrote)
	defer to.close()
	if err != nil {
		return f.meaning(err, writing)
	}
	return f.meaning(to.copy(ctx, file, filepath.Base(local), perm, false), writing)
}
