package storage

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"time"
)

// Copier is an [FS] that can copy members of a collection faster than by reading and
// writing them, for example by sharing blocks, or that can copy symbolic links.
type Copier interface {
	FS

	// CopyMembers copies members of a collection. See the function [CopyMembers]. For
	// members that it can't copy itself, such as those for an FS of another kind, it
	// uses [CopyEach].
	CopyMembers(ctx context.Context, c Copying) iter.Seq2[string, error]
}

// CopyReceiver is an [FS] that must know about copies that another FS makes in it, for example
// because it counts what it stores.
type CopyReceiver interface {
	FS

	// ReceiveMembers copies members of a collection of from, as c says, to c.To in this FS.
	// It does so with [CopyMembers], where c.Into is the FS that this one decorates, so that
	// from still can share blocks with it. c.Into is not set.
	ReceiveMembers(ctx context.Context, from FS, c Copying) iter.Seq2[string, error]
}

// Copying says what [CopyMembers] copies.
type Copying struct {
	// From and To are collections. To must not contain any of the copies yet.
	From, To string
	// Into is the FS that contains To. If it is nil, that is the FS that contains From.
	Into FS
	// Members describe members of From. A member that is described as a symbolic link
	// is copied as a link with the same target text, wherever that leads. For any other
	// member, its content is copied, and that must be a file.
	Members []fs.FileInfo
	// As is the last segment of the name of the copy if there is only one member. If As
	// is "", each copy has the name of its member.
	As string
	// Wrote, if not nil, is called with each number of bytes written, from the
	// goroutine of the loop. Holes in a sparse file count too.
	Wrote func(n int64)
}

// Source returns the name of member.
func (c *Copying) Source(member fs.FileInfo) string { return path.Join(c.From, member.Name()) }

// Target returns the name of the copy of member.
func (c *Copying) Target(member fs.FileInfo) string {
	if c.As != "" {
		return path.Join(c.To, c.As)
	}
	return path.Join(c.To, member.Name())
}

// CopyMembers copies members of a collection. The copy of a file gets the content, the
// permission bits, the modification time and everything else that the backend stores with
// a file. CopyMembers yields the last segment of each member's name, with nil or with the
// reason why the copy failed, and continues with the next. It stops when the loop stops.
//
// If c.Into is a [CopyReceiver], that makes the copies. Otherwise, without a [Copier], it is
// [CopyEach].
func CopyMembers(ctx context.Context, fsys FS, c Copying) iter.Seq2[string, error] {
	if receiver, ok := c.Into.(CopyReceiver); ok {
		c.Into = nil
		return receiver.ReceiveMembers(ctx, fsys, c)
	}
	if copier, ok := fsys.(Copier); ok {
		return copier.CopyMembers(ctx, c)
	}
	return CopyEach(ctx, fsys, c)
}

// CopyEach is CopyMembers with other calls of the two FS: it reads and writes the content
// of each file and copies its dead properties and its modification time. For a symbolic
// link it yields errors.ErrUnsupported.
func CopyEach(ctx context.Context, fsys FS, c Copying) iter.Seq2[string, error] {
	if c.Into == nil {
		c.Into = fsys
	}
	return func(yield func(string, error) bool) {
		for _, member := range c.Members {
			if !yield(member.Name(), copyMember(ctx, fsys, c, member)) {
				return
			}
		}
	}
}

func copyMember(ctx context.Context, fsys FS, c Copying, member fs.FileInfo) error {
	src, dst := c.Source(member), c.Target(member)
	if err := ctx.Err(); err != nil {
		return err
	}
	if member.Mode()&fs.ModeSymlink != 0 {
		return &os.LinkError{Op: "copylink", Old: src, New: dst, Err: errors.ErrUnsupported}
	}
	if err := copyFile(ctx, fsys, src, c.Into, dst, member.Mode().Perm(), c.Wrote); err != nil {
		return err
	}
	if err := CopyProperties(ctx, fsys, src, c.Into, dst, member.ModTime()); err != nil {
		return errors.Join(err, Remove(context.WithoutCancel(ctx), c.Into, dst))
	}
	return nil
}

// CopyMember copies the member src, which info describes, to the new name dst, as
// [CopyMembers] does.
func CopyMember(ctx context.Context, fsys FS, src, dst string, info fs.FileInfo, wrote func(n int64)) error {
	if base := path.Base(src); info.Name() != base {
		info = Named(info, base)
	}
	c := Copying{
		From: path.Dir(src), To: path.Dir(dst), Members: []fs.FileInfo{info}, As: path.Base(dst), Wrote: wrote,
	}
	for _, err := range CopyMembers(ctx, fsys, c) {
		return err
	}
	return ctx.Err()
}

// CopyProperties copies the dead properties of src to dst, which is in into, and sets the
// modification time of dst to modified. A backend that can't set times keeps its own.
func CopyProperties(ctx context.Context, fsys FS, src string, into FS, dst string, modified time.Time) error {
	if err := CopyDeadProps(ctx, fsys, src, into, dst); err != nil {
		return err
	}
	return setTimesIfAny(ctx, into, dst, modified)
}
