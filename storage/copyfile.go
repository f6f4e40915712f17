package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// copyChunk is how many bytes CopyFile copies before it checks ctx again. It is large
// enough for the kernel to work efficiently and small enough to stop within a second.
const copyChunk = 16 << 20

// FileCopier is an [FS] that can copy a file faster than by reading and writing it.
type FileCopier interface {
	FS

	// CopyFile copies a file. See the function [CopyFile].
	CopyFile(ctx context.Context, src, dst string, perm fs.FileMode, wrote func(n int64)) error
}

// CopyFile copies the file src to the new file dst, with the permission bits perm. dst
// must not exist, but its parent must. CopyFile calls wrote, unless it is nil, with each
// number of bytes written; holes in a sparse file count too. If CopyFile fails, it
// removes dst.
//
// Without a [FileCopier], CopyFile reads and writes. If both files are *os.File, the
// kernel copies the data where it can.
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
		// Remove the partial copy even if the error is that ctx ended.
		err = errors.Join(err, Remove(context.WithoutCancel(ctx), fsys, dst))
	}
	return err
}

// CopyContent copies in to out until the end of in, chunk bytes at a time, and checks ctx
// between chunks. It calls wrote, unless it is nil, with each number of bytes written.
//
// io.CopyN passes a limited *os.File to ReadFrom of an *os.File, which then uses
// copy_file_range if the system has it.
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
