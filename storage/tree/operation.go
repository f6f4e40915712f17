package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/davd/davd/storage"
)

// operation is one COPY, MOVE or DELETE of an Engine.
type operation struct{ placement }

// Copy makes dst a copy of src. With the depth [Infinite] it copies everything below
// src too; with depth 0 it copies a collection without its members. Once the copy is
// complete, it replaces the previous content of dst; the two are not merged (RFC 4918
// §9.8.4).
//
// A [*PartialError] names each member that could not be copied, but not the members
// below it; the rest is in place. A [*LeftoverError] says that everything is in place.
// After any other error dst is as it was. The exception is a backend that can't rename
// the finished copy to dst: an error while dst is replaced can leave dst incomplete
// there.
//
// A [*FollowError] says that the operation is done, but the Follower failed. With a Transaction, the
// operation isn't done then.
func (e Engine) Copy(ctx context.Context, src, dst string, depth int, mon *Monitor) error {
	if storage.Overlap(src, dst) {
		return &os.LinkError{Op: "copy", Old: src, New: dst, Err: storage.ErrOverlap}
	}
	ctx, release := storage.Pin(ctx, e.FS)
	defer release()
	if err := storage.CheckRemoval(ctx, e.FS, dst); err != nil {
		return err
	}
	ctx, staging := e.staging(ctx)
	op, err := e.begin(ctx, Entry{Method: copyMethod, Source: src, Destination: dst, ZeroDepth: depth == 0}, mon)
	if err != nil {
		return err
	}
	op.staging = staging
	defer op.watch(ctx)()
	c := op.copier(ctx, 0)
	stage, err := op.build(c, depth, false)
	if err != nil {
		return op.abandon(ctx, err)
	}
	switch {
	case e.Transaction != nil:
		return op.copyTransacted(ctx, c, stage)
	case e.Fence != nil:
		return op.copyFenced(ctx, c, stage)
	}
	displaced, err := op.place(ctx, stage)
	if err != nil && !done(err) {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	followed := op.follow(ctx, true)
	if err == nil {
		err = op.drop(ctx, displaced)
	}
	err = op.finish(ctx, err, followed)
	if failed := c.failures.err(true); failed != nil {
		err = errors.Join(failed, followed)
	}
	return err
}

// Remove removes name and everything below it, the members of a collection before the
// collection itself, and reports each to mon. It removes symbolic links and never
// follows them. A [*PartialError] names each member that can't be removed; the
// collections that contain it stay, and everything else is removed. The root can't be
// removed, and stays as it is. A storage.TreeRemover removes everything in one step, or
// nothing; then mon gets only name.
//
// It keeps the Journal only if the Follower has something to do. A [*FollowError] says
// that the operation is done, but the Follower failed.
func (e Engine) Remove(ctx context.Context, name string, mon *Monitor) error {
	ctx, release := storage.Pin(ctx, e.FS)
	defer release()
	if err := storage.CheckRemoval(ctx, e.FS, name); err != nil {
		return err
	}
	op, err := e.begin(ctx, Entry{Method: deleteMethod, Source: name}, mon)
	switch {
	case err != nil:
	case e.Transaction != nil:
		return op.removeTransacted(ctx)
	case e.Fence != nil:
		return op.removeFenced(ctx)
	case op.follows:
		err = op.advance(ctx, Removing)
	}
	if err != nil {
		return err
	}
	err = op.remove(ctx)
	ctx = context.WithoutCancel(ctx)
	return op.finish(ctx, err, op.follow(ctx, err == nil))
}

// begin prepares the operation that entry describes. It changes nothing in FS.
func (e Engine) begin(ctx context.Context, entry Entry, mon *Monitor) (*operation, error) {
	e.Workers = e.Workers.ready()
	entry.Links = e.CopyLinks && entry.Destination != ""
	if tenant, ok := storage.TenantOf(ctx); ok {
		entry.Tenant = &tenant
	}
	switch {
	case e.Fence != nil:
		entry.ID = e.Fence.ID
	case e.Journal != nil:
		entry.ID = path.Base(storage.Beside("/"))
	}
	op := &operation{placement{record: record{Engine: &e, entry: entry}, mon: mon}}
	if e.Journal == nil || e.Follower == nil || e.Transaction != nil {
		return op, nil
	}
	var err error
	op.follows, err = e.Follower.Prepare(ctx, &op.entry)
	return op, err
}

// watch starts to tell the Monitor how much a COPY or MOVE has to do. The caller must
// call end when the operation ends; it also releases the held collection.
func (op *operation) watch(ctx context.Context) (end func()) {
	op.count = op.newCount(ctx, op.mon, op.entry.Source, op.entry.Destination)
	return func() {
		op.count.close()
		op.release()
	}
}

// copier returns a copier of the source. more is how often each member will be seen
// again after it is copied.
func (op *operation) copier(ctx context.Context, more int64) *copier {
	return &copier{Engine: op.Engine, ctx: ctx, mon: op.mon, more: more, links: op.entry.Links}
}

// build copies the source to a reserved name beside the destination and returns that
// name. If the copy fails, it removes what it has built. linked says that the source is a
// symbolic link.
func (op *operation) build(c *copier, depth int, linked bool) (string, error) {
	src := op.entry.Source
	info, err := op.FS.Stat(c.ctx, src)
	if err != nil {
		return "", err
	}
	if err := op.checkRoom(c.ctx, info, depth); err != nil {
		return "", err
	}
	stage, err := op.stage(c.ctx)
	if err != nil {
		return "", err
	}
	err = op.copyWhole(c, info, stage, depth)
	if errors.Is(err, errors.ErrUnsupported) {
		err = op.copyMembers(c, info, stage, depth, linked)
	}
	if err != nil {
		return "", op.unstage(c.ctx, err)
	}
	return stage, nil
}

// copyMembers copies the source, which info describes, to stage, member by member.
func (op *operation) copyMembers(c *copier, info fs.FileInfo, stage string, depth int, linked bool) error {
	src := op.entry.Source
	root := newRoot(src, info)
	root.linked = linked
	if depth != 0 {
		root.parent = above(c.ctx, op.FS, src, info)
	}
	op.count.source.view = c.see
	op.count.source.begin(root, amount{1 + c.more, size(info)})
	err := c.copy(root, stage, depth)
	if err == nil {
		// If the root has failed, no part of the copy can be used.
		err = c.rootErr
	}
	if err == nil {
		// Nor can it if the root has vanished: then its members were skipped.
		_, err = op.FS.Stat(c.ctx, src)
	}
	return err
}

// remove removes the source, without what follows.
func (op *operation) remove(ctx context.Context) error {
	name := op.entry.Source
	if name == "/" {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrInvalid}
	}
	if err := op.removeWhole(ctx, name, op.mon); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	count := op.newCount(ctx, op.mon, name, "")
	defer count.close()
	r := &remover{Engine: op.Engine, ctx: ctx, mon: op.mon, named: true}
	if err := r.tree(name, count.source); err != nil {
		return err
	}
	return r.failures.err(false)
}

// follow calls the Follower, if any. Its error is a [*FollowError].
func (op *operation) follow(ctx context.Context, whole bool) error {
	if op.Follower == nil {
		return nil
	}
	if err := op.insist(func() error { return op.Follower.Follow(ctx, op.entry, whole) }); err != nil {
		return &FollowError{Err: err}
	}
	return nil
}

// finish ends an operation that is done except for what err says. If a tree under a
// reserved name could not be removed, the next start removes it. It must not call the
// Follower again, because other requests may have changed properties and locks since:
// so the record now says Done. If the Follower has failed, the record stays as it is,
// and the next start calls the Follower again.
func (op *operation) finish(ctx context.Context, err, followed error) error {
	ctx = context.WithoutCancel(ctx)
	switch {
	case followed != nil:
		return errors.Join(err, followed)
	case done(err):
		return errors.Join(err, op.insist(func() error { return op.advance(ctx, Done) }))
	}
	ended := op.insist(func() error { return op.end(ctx) })
	if err == nil && ended != nil {
		return &LeftoverError{Err: ended}
	}
	return errors.Join(err, ended)
}
