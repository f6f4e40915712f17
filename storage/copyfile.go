package storage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// copyChunk is how many bytes are copied before ctx is checked again. It is large enough
// for the kernel to work efficiently and small enough to stop within a second.
const copyChunk = 16 << 20

// copyFile copies the file src of fsys to the new file dst of into, with the permission
// bits perm. If it fails, it removes dst.
func copyFile(ctx context.Context, fsys FS, src string, into FS, dst string, perm fs.FileMode, wrote func(n int64)) error {
	opened, err := copyTo(ctx, fsys, src, into, dst, os.O_EXCL|os.O_CREATE, perm, wrote)
	if err != nil && opened {
		err = &os.LinkError{Op: "copy", Old: src, New: dst, Err: Cause(err)}
		// Remove the partial copy even if the error is that ctx ended.
		err = errors.Join(err, Remove(context.WithoutCancel(ctx), into, dst))
	}
	return err
}

// copyTo copies the file src of fsys to the file dst of into, which it opens with flag. It
// reads and writes; if both files are *os.File, the kernel copies the data where it can.
// opened reports that dst may have changed.
func copyTo(ctx context.Context, fsys FS, src string, into FS, dst string, flag int, perm fs.FileMode, wrote func(n int64)) (opened bool, err error) {
	in, err := fsys.OpenFile(ctx, src, os.O_RDONLY, 0)
	if err != nil {
		return false, err
	}
	defer in.Close()
	out, err := into.OpenFile(ctx, dst, os.O_RDWR|flag, perm)
	if err != nil {
		return false, err
	}
	err = CopyContent(ctx, out, in, copyChunk, wrote)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	return true, err
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
