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

// Move moves src to dst. It replaces the previous content of dst. Where the backend can
// rename src to dst, Move is a rename. Elsewhere (with a mount point between them, or a
// backend that can't rename) it copies everything, lets the copy change places with the
// content of dst, and then removes src.
//
// Unlike Copy, Move is all or nothing until it begins to remove src: if a member
// can't be copied, a [*PartialError] names it, and neither src nor dst has changed. If
// dst is in place but members of src can't be removed, a [*PartialError] names those. A
// [*LeftoverError] says that everything is done. If Move copies, mon counts each member
// twice: once when it is copied and once when it is removed.
//
// A [*FollowError] says that the operation is done, but the Follower failed.
func (e Engine) Move(ctx context.Context, src, dst string, mon *Monitor) error {
	if storage.Overlap(src, dst) {
		return &os.LinkError{Op: "move", Old: src, New: dst, Err: storage.ErrOverlap}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, release := storage.Pin(ctx, e.FS)
	defer release()
	info, err := storage.Lstat(ctx, e.FS, src)
	for _, name := range []string{src, dst} {
		if err == nil {
			err = storage.CheckRemoval(ctx, e.FS, name)
		}
	}
	if err != nil {
		return err
	}
	ctx, staging := e.staging(ctx)
	op, err := e.begin(ctx, Entry{Method: moveMethod, Source: src, Destination: dst}, mon)
	if err != nil {
		return err
	}
	if e.Transaction != nil {
		return op.moveTransacted(ctx)
	}
	op.staging = staging
	defer op.watch(ctx)()
	if info.Mode()&fs.ModeSymlink != 0 {
		return op.moveLink(ctx, info)
	}
	return op.move(ctx, info)
}

// moveLink moves a symbolic link. It may rename the link only within one collection and
// only if nothing is displaced. In another collection the link may lead elsewhere, and
// a displaced tree may be or contain the target of the link. In these cases moveLink
// copies the target.
func (op *operation) moveLink(ctx context.Context, info fs.FileInfo) error {
	src, dst := op.entry.Source, op.entry.Destination
	old, err := op.look(ctx, dst)
	switch {
	case err != nil:
		return err
	case old == nil && path.Dir(src) == path.Dir(dst):
		return op.move(ctx, info)
	}
	return op.transfer(ctx, info)
}

// move renames the source, or transfers it if that is impossible.
func (op *operation) move(ctx context.Context, info fs.FileInfo) error {
	src := op.entry.Source
	if op.Fence != nil {
		return op.moveFenced(ctx, info)
	}
	op.mon.Begin(src)
	op.entry.Displaced = storage.Beside(op.entry.Destination)
	uncanceled := context.WithoutCancel(ctx)
	op.count.displace()
	displaced, err := op.put(uncanceled, src, info)
	if immovable(err) {
		return op.transfer(ctx, info)
	}
	if err != nil {
		return op.rollBack(uncanceled, err)
	}
	op.mon.Found(1, 0)
	op.count.source.gone()
	followed := op.follow(uncanceled, true)
	err = op.drop(uncanceled, displaced)
	err = op.finish(uncanceled, err, followed)
	op.mon.Resolve(src, nil)
	return err
}

// transfer moves the source, which info describes, by copying it.
func (op *operation) transfer(ctx context.Context, info fs.FileInfo) error {
	op.entry.Origin = mark(info)
	c := op.copier(ctx, 1)
	stage, err := op.build(c, Infinite, info.Mode()&fs.ModeSymlink != 0)
	if err != nil {
		return op.abandon(ctx, err)
	}
	if err := c.failures.err(false); err != nil {
		return op.rollBack(ctx, err)
	}
	if op.Fence != nil {
		return op.transferFenced(ctx, stage)
	}
	displaced, err := op.place(ctx, stage)
	if err != nil && !done(err) {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		err = op.drop(ctx, displaced)
	}
	removed := op.removeSource(ctx, func(is fs.FileInfo) bool {
		return !storage.SameFile(info, info) || storage.SameFile(info, is)
	})
	op.mon.skipRest() // skips members that vanished after they were copied
	followed := op.follow(ctx, removed == nil)
	err = op.finish(ctx, err, followed)
	if removed != nil {
		err = errors.Join(removed, followed)
	}
	return err
}

// removeSource removes the source after its copy was put at the destination, provided
// that same says that the source is still the one that was copied.
func (op *operation) removeSource(ctx context.Context, same func(is fs.FileInfo) bool) error {
	src, dst := op.entry.Source, op.entry.Destination
	is, err := op.look(ctx, src)
	if err == nil && (is == nil || !same(is)) {
		// src is gone, or another file now. If src lies below a symbolic link, it may even
		// be the tree that was just put at dst.
		return nil
	}
	var fresh fs.FileInfo
	if err == nil {
		fresh, err = storage.Lstat(ctx, op.FS, dst)
	}
	if err != nil {
		// The move is done except for this.
		return &PartialError{Failures: []Outcome{{Name: src, Err: err}}, Placed: true}
	}
	r := &remover{Engine: op.Engine, ctx: ctx, mon: op.mon, named: true}
	r.refuse = func(name string, info fs.FileInfo) error {
		if storage.SameFile(info, fresh) {
			return &os.LinkError{Op: "move", Old: src, New: dst, Err: storage.ErrOverlap} // A symbolic link makes dst a member of src.
		}
		return op.unreplaced(ctx, name, dst+strings.TrimPrefix(name, src), info)
	}
	if err := r.remove(newRoot(src, is)); err != nil {
		r.failures.add(src, err)
	}
	return r.failures.err(true)
}

// unreplaced returns an error if clients can see name, which info describes, but it has
// no copy because it was created after its collection was listed. In a recovery, it also returns
// an error if name was changed after it was copied, which may be long ago.
func (op *operation) unreplaced(ctx context.Context, name, replacement string, info fs.FileInfo) error {
	seen, err := member(ctx, op.FS, name, info, op.entry.Links)
	if err != nil || seen == nil {
		return err
	}
	now, err := storage.Lstat(ctx, op.FS, replacement)
	if errors.Is(err, fs.ErrNotExist) || err == nil && op.recovering && newer(info, now) {
		return &fs.PathError{Op: "move", Path: name, Err: fs.ErrExist}
	}
	return err
}

// newer reports whether the file that info describes was changed after it was copied.
func newer(info, copied fs.FileInfo) bool {
	return info.Mode().IsRegular() && copied.Mode().IsRegular() &&
		(info.Size() != copied.Size() || info.ModTime().After(copied.ModTime()))
}
