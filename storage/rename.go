package storage

import (
	"context"
	"errors"
	"os"
)

// Renamer is an [FS] that can rename more than Rename can.
type Renamer interface {
	FS

	// RenameWith renames as r says. If the backend can't, it returns
	// errors.ErrUnsupported or syscall.EXDEV and changes nothing.
	RenameWith(ctx context.Context, r Renaming) error
}

// RenameReceiver is an [FS] that must know about what another FS renames into it, for example
// because it counts what it stores.
type RenameReceiver interface {
	FS

	// ReceiveRename renames r.Old of from to r.New of this FS. It does so with
	// [RenameWith], where r.Into is the FS that this one decorates. r.Into is not set.
	ReceiveRename(ctx context.Context, from FS, r Renaming) error
}

// Renaming says what [RenameWith] does.
type Renaming struct {
	Old, New string
	// Into is the FS that contains New. If it is nil, that is the FS that contains Old.
	Into FS
	// Swap swaps what Old and New stand for, files or collections, in one step.
	Swap bool
	// Vacant makes RenameWith fail with fs.ErrExist if New exists, whatever it is. Only one of
	// Swap and Vacant may be set.
	Vacant bool
}

// RenameWith renames as r says, and otherwise as Rename of an [FS]. Without a [Renamer] it
// calls Rename if Old and New are in one FS and neither Swap nor Vacant is set. Otherwise it returns
// errors.ErrUnsupported. If r.Into is a [RenameReceiver], that does the renaming.
func RenameWith(ctx context.Context, fsys FS, r Renaming) error {
	if receiver, ok := r.Into.(RenameReceiver); ok {
		r.Into = nil
		return receiver.ReceiveRename(ctx, fsys, r)
	}
	if renamer, ok := fsys.(Renamer); ok {
		return renamer.RenameWith(ctx, r)
	}
	if r.Into == nil && !r.Swap && !r.Vacant {
		return fsys.Rename(ctx, r.Old, r.New)
	}
	return r.Failed(errors.ErrUnsupported)
}

// Failed returns err with both names, or nil if err is nil.
func (r *Renaming) Failed(err error) error {
	if err == nil {
		return nil
	}
	op := "rename"
	if r.Swap {
		op = "exchange"
	}
	return &os.LinkError{Op: op, Old: r.Old, New: r.New, Err: err}
}

// Exchange swaps a and b in one step. It is [RenameWith].
func Exchange(ctx context.Context, fsys FS, a, b string) error {
	return RenameWith(ctx, fsys, Renaming{Old: a, New: b, Swap: true})
}
