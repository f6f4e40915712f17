package tree

import (
	"context"
	"errors"
	"io/fs"
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
	return Engine{FS: fsys}.Move(ctx, src, dst, mon)
}

// moveLink moves a symbolic link. Where something would be displaced, that may
// be, or hold, what the link leads to, and from another collection the link
// may lead elsewhere: so what it leads to is copied first.
func (t *transaction) moveLink(ctx context.Context, info fs.FileInfo) error {
	src, dst := t.entry.Source, t.entry.Destination
	_, err := storage.Lstat(ctx, t.FS, dst)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil && path.Dir(src) == path.Dir(dst):
		return t.move(ctx, info)
	}
	return t.transfer(ctx, info)
}

// move renames, or transfers what can't be renamed.
func (t *transaction) move(ctx context.Context, info fs.FileInfo) error {
	src := t.entry.Source
	t.mon.Begin(src)
	t.entry.Displaced = storage.Beside(t.entry.Destination)
	uncanceled := context.WithoutCancel(ctx)
	b := t.tally.displace()
	displaced, err := t.put(uncanceled, src, info)
	if immovable(err) {
		return t.transfer(ctx, info)
	}
	if err != nil {
		return t.rollBack(uncanceled, err)
	}
	t.tally.renamed()
	followed := t.follow(uncanceled, true)
	if displaced != "" {
		err = t.drop(uncanceled, displaced)
	} else {
		t.tally.leave(b)
	}
	err = t.finish(uncanceled, err, followed)
	t.mon.Resolve(src, nil)
	return err
}

// transfer moves the source, which info describes, by copying.
func (t *transaction) transfer(ctx context.Context, info fs.FileInfo) error {
	src, dst := t.entry.Source, t.entry.Destination
	t.entry.Origin = mark(info)
	c := &copier{ctx: ctx, fsys: t.FS, mon: t.mon, tally: t.tally, more: 1, transaction: t, links: t.entry.Links}
	stage, err := c.stage(src, dst, Infinite, info.Mode()&fs.ModeSymlink != 0)
	if err != nil {
		return t.abandon(ctx, err)
	}
	if err := c.failures.err(); err != nil {
		return t.rollBack(ctx, err)
	}
	displaced, err := t.place(ctx, stage)
	if err != nil && !done(err) {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if displaced != "" {
		err = t.drop(ctx, displaced)
	}
	removed := t.removeSource(ctx, func(is fs.FileInfo) bool {
		return !storage.SameFile(info, info) || storage.SameFile(info, is)
	})
	t.mon.skipRest() // what has vanished since it was copied
	followed := t.follow(ctx, removed == nil)
	err = t.finish(ctx, err, followed)
	if removed != nil {
		err = join(removed, followed)
	}
	return err
}

// removeSource removes the source of which a copy has taken the place of the
// destination, if it is still the same.
func (t *transaction) removeSource(ctx context.Context, same func(is fs.FileInfo) bool) error {
	src, dst := t.entry.Source, t.entry.Destination
	is, err := storage.Lstat(ctx, t.FS, src)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var fresh fs.FileInfo
	if err == nil {
		if !same(is) {
			// Something else is there now: through a symbolic link above it,
			// perhaps what has just been put at dst.
			return nil
		}
		fresh, err = storage.Lstat(ctx, t.FS, dst)
	}
	if err != nil {
		// The move is done but for this.
		return &PartialError{Failures: []Outcome{{Name: src, Err: err}}, Placed: true}
	}
	r := &remover{ctx: ctx, fsys: t.FS, mon: t.mon, named: true}
	r.failures.placed = true
	r.refuse = func(name string, info fs.FileInfo) error {
		if storage.SameFile(info, fresh) {
			return linkError("move", src, dst, ErrOverlap) // dst is in src, through a link.
		}
		return t.unreplaced(ctx, name, dst+strings.TrimPrefix(name, src), info)
	}
	if err := r.remove(src, is, nil); err != nil {
		r.failures.add(src, err)
	}
	return r.failures.err()
}

// unreplaced returns an error if name, which info describes, is to be seen by
// clients and has no copy: it has been made since its collection was listed.
func (t *transaction) unreplaced(ctx context.Context, name, replacement string, info fs.FileInfo) error {
	seen, err := member(ctx, t.FS, name, info, t.entry.Links)
	if err != nil || seen == nil {
		return err
	}
	_, err = storage.Lstat(ctx, t.FS, replacement)
	if errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "move", Path: name, Err: fs.ErrExist}
	}
	return err
}
