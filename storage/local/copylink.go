package local

import (
	"context"
	"io/fs"
	"os"
)

// CopyLink creates the symbolic link dst with the same target text as the link src,
// wherever that leads. A relative link leads elsewhere if dst has another depth.
func (f *FS) CopyLink(ctx context.Context, src, dst string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.copyLink(src, dst); err != nil {
		return &os.LinkError{Op: "copylink", Old: src, New: dst, Err: err}
	}
	return nil
}

func (f *FS) copyLink(src, dst string) error {
	from, ok := localName(src)
	if !ok {
		return fs.ErrNotExist
	}
	to, ok := localName(dst)
	switch {
	case !ok:
		return fs.ErrInvalid
	case to == rootName:
		return fs.ErrExist
	}
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
	return f.meaning(f.root.Symlink(text, to), writing)
}
