package tree

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// The methods of an [Entry].
const (
	copyMethod   = "COPY"
	moveMethod   = "MOVE"
	deleteMethod = "DELETE"
)

// Engine copies, moves and removes trees of FS. With a Journal, an operation that a
// crash (kill -9) interrupts can be finished or undone later. All fields but FS are
// optional.
type Engine struct {
	FS storage.FS
	// Journal records every reserved name before that name is created. If it is nil,
	// whatever a crash leaves behind stays.
	Journal Journal
	// Workers limits the goroutines of this operation together with those of others.
	Workers *Workers
	// Client is who the operation is for. If operations wait for Workers, those of
	// different clients take turns.
	Client string
	// Follower is told where trees have gone. It may be nil.
	Follower Follower
	// CopyLinks copies the symbolic links among the members as links, wherever they
	// lead. If FS is not a storage.LinkCopier, each link fails. By default the target
	// of a link is copied, and a link without a target is left out. The resource that
	// the request itself names is followed in both cases.
	CopyLinks bool
	// Persist is called when the Journal or the Follower has failed after the share was
	// changed. It waits, then reports whether to try again. attempt counts from 0. The
	// caller must ensure that nothing else changes the names meanwhile. If Persist
	// gives up, the record stays in the Journal, and Recover finishes the operation. A
	// nil Persist gives up immediately.
	Persist func(attempt int, err error) bool
}

// Follower moves or removes what is stored by name, such as dead properties and locks,
// when the trees move or go.
type Follower interface {
	// Prepare is called before anything is changed, if there is a Journal. It stores in
	// e what Follow will need after a restart, and reports whether Follow will have
	// something to do.
	Prepare(ctx context.Context, e *Entry) (bool, error)
	// Follow is called when the destination is in place, or when a DELETE has removed
	// what it could. For a MOVE or DELETE, whole reports that nothing of the source is
	// left. Calling Follow again for the same Entry has no effect if nothing has
	// changed since.
	Follow(ctx context.Context, e Entry, whole bool) error
}

// Copy is like the function [Copy], but keeps the Journal and calls the Follower. A
// [*FollowError] says that the operation is done, but the Follower failed.
func (e Engine) Copy(ctx context.Context, src, dst string, depth int, mon *Monitor) error {
	if storage.Overlap(src, dst) {
		return linkError("copy", src, dst, ErrOverlap)
	}
	t, err := e.begin(ctx, Entry{Method: copyMethod, Source: src, Destination: dst, ZeroDepth: depth == 0}, mon)
	if err != nil {
		return err
	}
	defer t.watch(ctx)()
	c := &copier{Engine: &t.Engine, ctx: ctx, mon: mon, transaction: t, links: t.entry.Links}
	stage, err := c.stage(src, dst, depth, false)
	if err != nil {
		return t.abandon(ctx, err)
	}
	displaced, err := t.place(ctx, stage)
	if err != nil && !done(err) {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	followed := t.follow(ctx, true)
	if displaced != "" {
		err = t.drop(ctx, displaced)
	}
	err = t.finish(ctx, err, followed)
	c.failures.placed = true
	if failed := c.failures.err(); failed != nil {
		err = join(failed, followed)
	}
	return err
}

// Move is like the function [Move], but keeps the Journal and calls the Follower. A
// [*FollowError] says that the operation is done, but the Follower failed.
func (e Engine) Move(ctx context.Context, src, dst string, mon *Monitor) error {
	if storage.Overlap(src, dst) {
		return linkError("move", src, dst, ErrOverlap)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := storage.Lstat(ctx, e.FS, src)
	if err != nil {
		return err
	}
	t, err := e.begin(ctx, Entry{Method: moveMethod, Source: src, Destination: dst}, mon)
	if err != nil {
		return err
	}
	defer t.watch(ctx)()
	if info.Mode()&fs.ModeSymlink != 0 {
		return t.moveLink(ctx, info)
	}
	return t.move(ctx, info)
}

// Remove is like the function [Remove], but calls the Follower, and keeps the Journal
// if the Follower has something to do. A [*FollowError] says that the operation is
// done, but the Follower failed.
func (e Engine) Remove(ctx context.Context, name string, mon *Monitor) error {
	t, err := e.begin(ctx, Entry{Method: deleteMethod, Source: name}, mon)
	if err == nil && t.follows {
		err = t.advance(ctx, Removing)
	}
	if err != nil {
		return err
	}
	err = t.remove(ctx)
	ctx = context.WithoutCancel(ctx)
	return t.finish(ctx, err, t.follow(ctx, err == nil))
}

// begin prepares the operation that entry describes. It changes nothing in FS.
func (e Engine) begin(ctx context.Context, entry Entry, mon *Monitor) (*transaction, error) {
	e.Workers = e.Workers.ready()
	if mon == nil {
		mon = new(Monitor)
	}
	t := &transaction{Engine: e, entry: entry, mon: mon}
	t.entry.Links = e.CopyLinks && entry.Destination != ""
	if tenant, ok := storage.TenantOf(ctx); ok {
		t.entry.Tenant = &tenant
	}
	if e.Journal == nil {
		return t, nil
	}
	t.entry.ID = path.Base(storage.Beside("/"))
	if e.Follower == nil {
		return t, nil
	}
	follows, err := e.Follower.Prepare(ctx, &t.entry)
	t.follows = follows
	return t, err
}

// watch starts to tell the Monitor how much a COPY or MOVE has to do. The caller must
// call end when the operation ends; it also releases the held collection.
func (t *transaction) watch(ctx context.Context) (end func()) {
	t.count = t.newCount(ctx, t.mon, t.entry.Source, t.entry.Destination)
	return func() {
		t.count.close()
		t.release()
	}
}

// join returns err, the error of an operation, joined with the Follower's error, if
// any.
func join(err, followed error) error {
	if followed == nil {
		return err
	}
	return errors.Join(err, &FollowError{Err: followed})
}
