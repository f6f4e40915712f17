package tree

import (
	"cmp"
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// Transaction is a transaction of a database that contains the state and the names of an FS
// (storage.Transacts). A MOVE or DELETE is made in it as a whole, and so is the replacement of the
// destination by a COPY. No client sees a part of that, and nothing of it has to be undone or finished
// after a crash. The caller commits the transaction if the operation returns nil or a
// [*PartialError].
type Transaction struct {
	// Begin begins the transaction, unless it has begun. It returns ctx with the transaction.
	Begin func(ctx context.Context) (context.Context, error)
	// Undo undoes what the transaction has changed.
	Undo func(ctx context.Context)
}

// copyTransacted is the second half of Copy with a [Transaction], after the copy named stage is
// complete. If the process dies before the commit, only the stage is left.
func (op *operation) copyTransacted(ctx context.Context, c *copier, stage string) error {
	if err := op.transact(ctx, func(ctx context.Context) error { return op.take(ctx, stage) }); err != nil {
		return op.unstage(ctx, err)
	}
	return c.failures.err(true)
}

// moveTransacted is Move with a [Transaction].
func (op *operation) moveTransacted(ctx context.Context) error {
	src := op.entry.Source
	op.mon.Begin(src)
	err := op.transact(ctx, func(ctx context.Context) error { return op.take(ctx, src) })
	if err == nil {
		op.mon.Found(1, 0)
		op.mon.Resolve(src, nil)
	}
	return err
}

// removeTransacted is Remove with a [Transaction].
func (op *operation) removeTransacted(ctx context.Context) error {
	name := op.entry.Source
	if name == "/" {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrInvalid}
	}
	op.mon.Begin(name)
	return op.transact(ctx, func(ctx context.Context) error {
		return op.refusal(ctx, name, op.removeWhole(ctx, name, op.mon))
	})
}

// refusal returns the error for err, from the removal of the tree at name. If the FS can't remove the
// tree as a whole, the principal lacks a right.
func (op *operation) refusal(ctx context.Context, name string, err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return cmp.Or(storage.Allowed(ctx, op.FS, name, storage.RightDelete, true), err)
	}
	return err
}

// transact calls change in the transaction, and then the Follower. After an error, the transaction
// is undone.
func (op *operation) transact(ctx context.Context, change func(ctx context.Context) error) error {
	err := ctx.Err()
	if err != nil {
		return err
	}
	within, err := op.Transaction.Begin(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	err = change(within)
	if err == nil && op.Follower != nil {
		err = op.Follower.Follow(within, op.entry, true)
	}
	if err != nil {
		op.Transaction.Undo(context.WithoutCancel(ctx))
	}
	return err
}

// take gives the tree from the name of the destination, in place of its present content.
func (op *operation) take(ctx context.Context, from string) error {
	dst := op.entry.Destination
	err := renameNew(ctx, op.FS, from, dst)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := storage.Lstat(ctx, op.FS, from)
	var old fs.FileInfo
	if err == nil {
		old, err = storage.Lstat(ctx, op.FS, dst)
	}
	switch {
	case err != nil:
		return err
	case storage.SameFile(info, old):
		return op.FS.Rename(ctx, from, dst) // another spelling of the same name
	}
	if err := op.refusal(ctx, dst, storage.RemoveTree(ctx, op.FS, dst)); err != nil {
		return err
	}
	return renameNew(ctx, op.FS, from, dst)
}
