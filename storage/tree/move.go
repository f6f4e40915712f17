package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/davd/davd/storage"
)

// Move makes src disappear and dst what src was. What was at dst is replaced.
// It is a rename where the backend has one for these two names; elsewhere (a
// mount point between them, a backend that can't rename) it copies all,
// changes places and removes the source, in this order.
//
// Unlike [Copy] it is all or nothing until the source is to be removed: when a
// member can't be copied, the [*PartialError] names it and neither src nor dst
// has changed. Members of the source that could not be removed afterwards are
// named in a [*PartialError] too; dst is then in place. A [*LeftoverError] says
// that all is done. mon counts each member that is copied twice: it is copied,
// and it is removed.
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
// be, or hold, what the link leads to, and from another collection the link
// may lead elsewhere: so what it leads to is copied first.
func moveLink(ctx context.Context, fsys storage.FS, src, dst string, info fs.FileInfo, mon *Monitor) error {
	_, err := storage.Lstat(ctx, fsys, dst)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil && path.Dir(src) == path.Dir(dst):
		return move(ctx, fsys, src, dst, info, mon)
	}
	return transfer(ctx, fsys, src, dst, info, mon)
}

// move renames, or transfers what can't be renamed.
func move(ctx context.Context, fsys storage.FS, src, dst string, info fs.FileInfo, mon *Monitor) error {
	mon.Begin(src)
	err := replace(context.WithoutCancel(ctx), fsys, src, dst, info, mon)
	if immovable(err) {
		return transfer(ctx, fsys, src, dst, info, mon)
	}
	if err == nil || done(err) {
		mon.Resolve(src, nil)
	}
	return err
}

// transfer moves src, which info describes, by copying.
func transfer(ctx context.Context, fsys storage.FS, src, dst string, info fs.FileInfo, mon *Monitor) error {
	c := &copier{ctx: ctx, fsys: fsys, mon: mon, more: 1}
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
	if err := removeSource(context.WithoutCancel(ctx), fsys, src, dst, info, mon); err != nil {
		return err
	}
	return placed
}

// removeSource removes src, which was what info describes before a copy of it
// took the place of dst.
func removeSource(ctx context.Context, fsys storage.FS, src, dst string, info fs.FileInfo, mon *Monitor) error {
	is, err := storage.Lstat(ctx, fsys, src)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var fresh fs.FileInfo
	if err == nil {
		if os.SameFile(info, info) && !os.SameFile(info, is) {
			// Something else is there now: through a symbolic link above it,
			// perhaps what has just been put at dst.
			return nil
		}
		fresh, err = storage.Lstat(ctx, fsys, dst)
	}
	if err != nil {
		// The move is done but for this.
		return &PartialError{Failures: []Outcome{{Name: src, Err: err}}, Placed: true}
	}
	r := &remover{ctx: ctx, fsys: fsys, mon: mon, named: true, counted: true}
	r.failures.placed = true
	r.refuse = func(name string, info fs.FileInfo) error {
		if os.SameFile(info, fresh) {
			return linkError("move", src, dst, ErrOverlap) // dst is in src, through a link.
		}
		return unreplaced(ctx, fsys, name, dst+strings.TrimPrefix(name, src), info)
	}
	if _, err := r.remove(src, is); err != nil {
		r.failures.add(src, err)
	}
	return r.failures.err()
}

// unreplaced returns an error if name, which info describes, is to be seen by
// clients and has no copy: it has been made since its collection was listed.
func unreplaced(ctx context.Context, fsys storage.FS, name, replacement string, info fs.FileInfo) error {
	seen, err := follow(ctx, fsys, name, info)
	if err != nil || seen == nil {
		return err
	}
	_, err = storage.Lstat(ctx, fsys, replacement)
	if errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "move", Path: name, Err: fs.ErrExist}
	}
	return err
}
