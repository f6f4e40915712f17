package tree

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// Move makes src disappear and dst what src was. What was at dst is replaced.
// It is a rename where the backend has one for these two names; elsewhere (a
// mount point between them, a backend that can't rename) it copies all,
// changes places and removes the source, in this order.
//
// Unlike [Copy] it is all or nothing until the source is to be removed: when a
// member can't be copied, the [*PartialError] names it and neither src nor dst
// has changed. Members of the source that could not
// be removed afterwards are named in a [*PartialError] too; dst is then in
// place. A [*LeftoverError] says that all is done.
func Move(ctx context.Context, fsys storage.FS, src, dst string, mon *Monitor) error {
	if Overlap(src, dst) {
		return linkError("move", src, dst, ErrOverlap)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := storage.Lstat(ctx, fsys, src)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return moveLink(ctx, fsys, src, dst, info, mon)
	}
	return move(ctx, fsys, src, dst, info, mon)
}

// moveLink moves a symbolic link. Where something would be displaced, that may
// be, or hold, what the link leads to: so what it leads to is copied first.
func moveLink(ctx context.Context, fsys storage.FS, src, dst string, info fs.FileInfo, mon *Monitor) error {
	_, err := storage.Lstat(ctx, fsys, dst)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return move(ctx, fsys, src, dst, info, mon)
	case err != nil:
		return err
	}
	return transfer(ctx, fsys, src, dst, mon)
}

// move renames, or transfers what can't be renamed.
func move(ctx context.Context, fsys storage.FS, src, dst string, info fs.FileInfo, mon *Monitor) error {
	mon.Begin(src)
	err := replace(context.WithoutCancel(ctx), fsys, src, dst, info, mon)
	if immovable(err) {
		return transfer(ctx, fsys, src, dst, mon)
	}
	if err == nil || done(err) {
		mon.Resolve(src, nil)
	}
	return err
}

// transfer moves by copying.
func transfer(ctx context.Context, fsys storage.FS, src, dst string, mon *Monitor) error {
	c := &copier{ctx: ctx, fsys: fsys, mon: mon, resolve: func(name string, err error) {
		if err != nil {
			mon.Resolve(name, err)
			return
		}
		mon.Advance()
	}}
	stage, err := c.stage(src, dst, Infinite)
	if err != nil {
		return err
	}
	if err := c.failures.err(); err != nil {
		return errors.Join(err, c.discard(stage))
	}
	placed := place(ctx, fsys, stage, dst, mon)
	if placed != nil && !done(placed) {
		return placed
	}
	if err := Remove(context.WithoutCancel(ctx), fsys, src, mon); err != nil {
		return err
	}
	return placed
}
