package storage

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"time"
)

// BatchCopier is an FS to which copying many files of one collection costs less
// than copying one after the other.
type BatchCopier interface {
	FS

	// CopyMembers does what the function of this name does.
	CopyMembers(ctx context.Context, src, dst string, members []fs.FileInfo, wrote func(n int64)) iter.Seq2[string, error]
}

// CopyMembers copies files of the collection src, which members describe, into
// the collection dst, where none of them is yet: content, permission bits,
// modification time and whatever else the backend keeps with a file. It yields
// the last segment of each with nil, or with the reason why there is no copy of
// it, and goes on with the next; it stops when the loop does. wrote, which may be
// nil, is told each number of bytes written, from the goroutine of the loop.
//
// Without a [BatchCopier] it is CopyFile, CopyDeadProps and SetTimes for each.
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

// CopyProperties gives dst what src has beside its content and its members: its
// dead properties, and modified, its modification time, if the backend sets any.
func CopyProperties(ctx context.Context, fsys FS, src, dst string, modified time.Time) error {
	if err := CopyDeadProps(ctx, fsys, src, dst); err != nil {
		return err
	}
	return setTimesIfAny(ctx, fsys, dst, modified)
}
