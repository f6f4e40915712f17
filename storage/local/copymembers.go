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

// CopyMembers copies files of the collection src into the collection dst. It
// finds the way to both once, not once for each. A symbolic link that stays
// inside is copied as the file that it links to; FIFOs, sockets and devices are
// as if not there.
//
// A copy has the permission bits of its source, whatever the umask, but never
// its set-ID bits; its modification time; and, on Linux, its holes and its
// extended attributes of the namespace user, its POSIX ACL, and its blocks where the
// filesystem lets files share them. What of these the filesystem does not keep or has no
// room for is left out, and no failure; without the ACL its owning group has what
// that gave it.
//
// A file that grows meanwhile is copied as long as it was, or longer.
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

// CopyFile copies src to the new file dst as CopyMembers does, except that it
// has the permission bits perm, and its modification time is now.
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
