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

// Engine copies, moves and removes trees of FS so that what a kill -9 leaves of
// it can be finished or undone. The zero value of all but FS is useful.
type Engine struct {
	FS storage.FS
	// Journal has every reserved name before it exists. Nil: what a kill leaves
	// stays.
	Journal Journal
	// Follower is told where trees have gone. Nil: nothing follows them.
	Follower Follower
	// CopyLinks copies the symbolic links among the members of what is copied as
	// links, wherever they lead, and where FS is no storage.LinkCopier fails for
	// each. By default what they lead to is copied, and one that leads nowhere is
	// left out. What a request names itself is followed in any case.
	CopyLinks bool
	// Persist is asked whether to try again when the Journal or the Follower has
	// failed after the share was changed; it waits before it returns true. attempt
	// counts from 0. While it waits nothing else may change the names. If it gives up,
	// the record stays in the Journal, and Recover finishes the operation. A nil Persist
	// gives up at once.
	Persist func(attempt int, err error) bool
}

// Follower lets what belongs to names follow the trees: dead properties, locks.
type Follower interface {
	// Prepare is asked before anything is changed, if there is a Journal. It
	// notes in e what Follow will need after a restart, and reports whether
	// Follow will have something to do.
	Prepare(ctx context.Context, e *Entry) (bool, error)
	// Follow is called when the destination is in place, or what could be removed
	// is gone. whole: of a MOVE or DELETE, nothing of the source is left. Called
	// again for the same Entry, with nothing changed since, it does no more.
	Follow(ctx context.Context, e Entry, whole bool) error
}

// Copy is [Copy], journalled. A [*FollowError] says that all is done but for
// what follows.
func (e Engine) Copy(ctx context.Context, src, dst string, depth int, mon *Monitor) error {
	if storage.Overlap(src, dst) {
		return linkError("copy", src, dst, ErrOverlap)
	}
	t, err := e.begin(ctx, Entry{Method: copyMethod, Source: src, Destination: dst, ZeroDepth: depth == 0}, mon)
	if err != nil {
		return err
	}
	defer t.watch(ctx)()
	c := &copier{ctx: ctx, fsys: e.FS, mon: mon, tally: t.tally, transaction: t, links: t.entry.Links}
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

// Move is [Move], journalled. A [*FollowError] says that all is done but for
// what follows.
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

// Remove is [Remove], journalled where something follows. A [*FollowError] says
// that all is done but for that.
func (e Engine) Remove(ctx context.Context, name string, mon *Monitor) error {
	t, err := e.begin(ctx, Entry{Method: deleteMethod, Source: name}, mon)
	if err == nil && t.follows {
		err = t.advance(ctx, Removing)
	}
	if err != nil {
		return err
	}
	err = Remove(ctx, e.FS, name, mon)
	ctx = context.WithoutCancel(ctx)
	return t.finish(ctx, err, t.follow(ctx, err == nil))
}

// begin prepares what e describes. Nothing is changed yet.
func (e Engine) begin(ctx context.Context, entry Entry, mon *Monitor) (*transaction, error) {
	t := &transaction{Engine: e, entry: entry, mon: mon}
	t.entry.Links = e.CopyLinks && entry.Destination != ""
	if tenant, ok := storage.TenantOf(ctx); ok {
		t.entry.Tenant = &tenant
	}
	if e.Journal == nil {
		return t, nil
	}
	root, err := e.FS.Stat(ctx, "/")
	if err != nil {
		return nil, err
	}
	t.entry.ID, t.entry.Root = path.Base(storage.Beside("/")), mark(root)
	if e.Follower != nil {
		t.follows, err = e.Follower.Prepare(ctx, &t.entry)
	}
	return t, err
}

// watch lets the Monitor learn how much a COPY or MOVE has to do, until the end.
func (t *transaction) watch(ctx context.Context) (end func()) {
	t.tally = newTally(ctx, t.FS, t.mon, true)
	return func() {
		t.tally.close()
		t.release()
	}
}

// join returns err, of a tree, with that of what follows it.
func join(err, followed error) error {
	if followed == nil {
		return err
	}
	return errors.Join(err, &FollowError{Err: followed})
}
