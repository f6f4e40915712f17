package tree

import (
	"context"

	"github.com/davd/davd/storage"
)

// Engine copies, moves and removes trees of FS. With a Journal, an operation that a
// crash (kill -9) interrupts can be finished or undone later. All fields but FS are
// optional.
type Engine struct {
	FS storage.FS
	// Journal records every reserved name before that name is created. If it is nil,
	// whatever a crash leaves behind stays.
	Journal Journal
	// Fence, if not nil, is for an FS that several processes change. It needs a Journal.
	Fence *Fence
	// Transaction, if not nil, is for an FS whose names are in the database of the state. A MOVE then
	// needs two names in one storage, and a DELETE an FS that can remove the whole tree. Both need
	// neither Journal nor Fence. A COPY has both: its record says only which stage is left after a
	// crash.
	Transaction *Transaction
	// Names translates the names in the Journal. It is needed if FS combines several
	// storages, and nil otherwise.
	Names Names
	// Workers limits the goroutines of this operation together with those of others.
	Workers *Workers
	// Client is who the operation is for. If operations wait for Workers, those of
	// different clients take turns.
	Client string
	// Follower is told where trees have gone. It may be nil.
	Follower Follower
	// CopyLinks copies the symbolic links among the members as links, wherever they
	// lead. If FS is not a storage.Copier, each link fails. By default the target
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

// own returns ctx for a look at the storage that the principal needs no right for.
func (e *Engine) own(ctx context.Context) context.Context {
	if _, restricts := e.FS.(storage.Authorizer); restricts {
		return storage.Unrestricted(ctx)
	}
	return ctx
}

// staging returns a context for an operation that stages a tree. The Staging is nil if nobody
// needs to know.
func (e *Engine) staging(ctx context.Context) (context.Context, *storage.Staging) {
	if _, restricts := e.FS.(storage.Authorizer); restricts {
		return storage.WithStaging(ctx)
	}
	return ctx, nil
}
