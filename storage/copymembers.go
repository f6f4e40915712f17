package storage

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"time"
)

// BatchCopier is an [FS] that can copy many files of one collection faster than one by
// one.
type BatchCopier interface {
	FS

	// CopyMembers copies files. See the function [CopyMembers].
	CopyMembers(ctx context.Context, src, dst string, members []fs.FileInfo, wrote func(n int64)) iter.Seq2[string, error]
}

// CopyMembers copies files from the collection src to the collection dst. members
// describe the files, and dst must not contain any of them yet. A copy gets the content,
// the permission bits, the modification time and everything else that the backend stores
// with a file. CopyMembers yields the last segment of each name, with nil or with the reason
// why the file was not copied, and continues with the next file. It stops when the loop
// stops. It calls wrote, unless it is nil, with each number of bytes written, from the
// goroutine of the loop.
//
// Without a [BatchCopier], CopyMembers uses CopyFile, CopyDeadProps and SetTimes for
// each file.
func CopyMembers(ctx context.Context, fsys FS, src, dst string, members []fs.FileInfo, wrote func(n int64)) iter.Seq2[string, error] {
	if b, ok := fsys.(BatchCopier); ok {
		return b.CopyMembers(ctx, src, dst, members, wrote)
	}
	return copyEach(ctx, fsys, src, dst, members, wrote)
}

// copyEach is CopyMembers without a BatchCopier.
func copyEach(ctx context.Context, fsys FS, src, dst string, members []fs.FileInfo, wrote func(n int64)) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, member := range members {
			err := copyMember(ctx, fsys, path.Join(src, member.Name()), path.Join(dst, member.Name()), member, wrote)
			if !yield(member.Name(), err) {
				return
			}
		}
	}
}

func copyMember(ctx context.Context, fsys FS, src, dst string, info fs.FileInfo, wrote func(n int64)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := CopyFile(ctx, fsys, src, dst, info.Mode().Perm(), wrote); err != nil {
		return err
	}
	if err := CopyProperties(ctx, fsys, src, dst, info.ModTime()); err != nil {
		return errors.Join(err, Remove(context.WithoutCancel(ctx), fsys, dst))
	}
	return nil
}

// CopyProperties copies the dead properties of src to dst and sets the modification time
// of dst to modified. A backend that can't set times keeps its own.
func CopyProperties(ctx context.Context, fsys FS, src, dst string, modified time.Time) error {
	if err := CopyDeadProps(ctx, fsys, src, dst); err != nil {
		return err
	}
	return setTimesIfAny(ctx, fsys, dst, modified)
}
