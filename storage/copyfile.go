package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// copyChunk is how much CopyFile copies between two looks at ctx: enough for
// the kernel to work undisturbed, little enough to stop within a second.
const copyChunk = 16 << 20

// FileCopier is an FS that copies a file better than by reading and writing it.
type FileCopier interface {
	FS

	// CopyFile does what the function of this name does.
	CopyFile(ctx context.Context, src, dst string, perm fs.FileMode, wrote func(n int64)) error
}

// CopyFile copies the file src to the new file dst, which must not exist and
// whose parent must, with the permission bits perm. It tells wrote, which may
// be nil, each number of bytes written, those of a hole in a sparse file too.
// When it fails, dst is gone.
//
// Without a [FileCopier] it reads and writes, between files of one kernel
// inside the kernel.
func CopyFile(ctx context.Context, fsys FS, src, dst string, perm fs.FileMode, wrote func(n int64)) error {
	if c, ok := fsys.(FileCopier); ok {
		return c.CopyFile(ctx, src, dst, perm, wrote)
	}
	in, err := fsys.OpenFile(ctx, src, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := fsys.OpenFile(ctx, dst, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	err = CopyContent(ctx, out, in, copyChunk, wrote)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		err = &os.LinkError{Op: "copy", Old: src, New: dst, Err: Cause(err)}
		// The copy must go even when it was ctx that ended.
		err = errors.Join(err, Remove(context.WithoutCancel(ctx), fsys, dst))
	}
	return err
}

// CopyContent copies in, to its end, in chunks of so many bytes, between which it
// looks at ctx. It tells wrote, which may be nil, each number of bytes written.
//
// io.CopyN hands an *os.File's ReadFrom a limited *os.File, from which it makes
// copy_file_range where there is one.
func CopyContent(ctx context.Context, out io.Writer, in io.Reader, chunk int64, wrote func(n int64)) error {
	for {
		n, err := io.CopyN(out, in, chunk)
		if wrote != nil && n > 0 {
			wrote(n)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}
