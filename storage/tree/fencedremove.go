package tree

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// removeFenced is Remove with a [Fence]. One rename into a gate is the commit. After that, a
// member that can't be removed is only a leftover.
func (op *operation) removeFenced(ctx context.Context) error {
	name := op.entry.Source
	if name == "/" {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrInvalid}
	}
	info, err := storage.Lstat(ctx, op.FS, name)
	if err != nil {
		return err
	}
	if op.entry.Origin = mark(info); op.entry.Origin == "" {
		return &fs.PathError{Op: "remove", Path: name, Err: errUnidentified}
	}
	op.mon.Begin(name)
	ctx = context.WithoutCancel(ctx)
	op.entry.State = Staging
	taken, err := op.takeSource(ctx)
	if err != nil {
		finished := false
		return op.settleOwn(ctx, err, &finished)
	}
	if err := op.follow(ctx, true); err != nil {
		return &UnsettledError{Err: err}
	}
	if err := op.insist(func() error { return op.advance(ctx, Done) }); err != nil {
		return &UnsettledError{Err: err}
	}
	return op.removeTaken(ctx, taken)
}

// removeTaken removes what the source was, which has the name taken now.
func (op *operation) removeTaken(ctx context.Context, taken string) error {
	if err := storage.RemoveTree(ctx, op.FS, taken); err == nil || errors.Is(err, fs.ErrNotExist) {
		op.mon.Found(1, 0)
		op.mon.Resolve(op.entry.Source, nil)
		return nil
	} else if !errors.Is(err, errors.ErrUnsupported) {
		return &LeftoverError{Name: taken, Err: err}
	}
	count := op.newCount(ctx, op.mon, taken, "")
	defer count.close()
	r := &remover{Engine: op.Engine, ctx: ctx, mon: op.mon}
	err := r.tree(taken, count.source)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		err = r.failures.first()
	}
	if err != nil {
		return &LeftoverError{Name: taken, Err: err}
	}
	return nil
}
