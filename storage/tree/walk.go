package tree

import (
	"context"
	"io/fs"

	"github.com/davd/davd/storage"
)

// Infinite is the depth of a whole tree (RFC 4918 §10.2).
const Infinite = -1

// Member is a resource that a walk has found.
type Member struct {
	Name string
	// Info is nil if the resource could not be described.
	Info fs.FileInfo
	// Err is why it could not be described or, for a collection, listed.
	Err error
	// Linked reports that a symbolic link below the root of the walk has led to it.
	Linked bool
	// Partial reports that, because of Err, some members of this collection were not
	// found. The collection was already delivered once, without Err.
	Partial bool
}

// A Walk goes through the tree at Root. It delivers a collection before its members,
// and those before everything below them. It reads ahead, in parallel where that helps.
// The number of members that it has found but not delivered is limited, whatever the
// size of the tree.
//
// Symbolic links are followed as the backend follows them. The walk leaves out links
// without a target, reserved names, and whatever is neither a file nor a collection. It
// delivers a link to a collection that contains the link, but does not enter it.
type Walk struct {
	FS   storage.FS
	Root string
	// Info describes Root as FS.Stat does.
	Info fs.FileInfo
	// Depth is 0, 1 or [Infinite].
	Depth int
	// Limit, if not 0, limits how much is found. Once the walk has found Limit members,
	// it enters no further collection, and delivers each with the error [storage.ErrTooManyMembers].
	Limit int
	// Shown leaves out the members that clients don't see ([storage.ListShown]).
	Shown bool
	// Workers limits the goroutines of this walk together with those of others.
	Workers *Workers
	// Monitor counts what has been delivered. It may be nil. It learns the total only
	// at the end.
	Monitor *Monitor
	// Prepare is called with some members, by several goroutines at the same time. The
	// goroutine of Run calls the function that it returns, in the order of the members.
	// An error of that function ends the walk. The members must not be used after it
	// has returned.
	Prepare func(ctx context.Context, members []Member) (deliver func() error)
}

// Run walks. It returns the first error of a delivery, or that of ctx. All calls of the
// storage have ended when it returns.
func (w *Walk) Run(ctx context.Context) error {
	if w.Depth == 0 || !w.Info.IsDir() {
		return w.root(ctx)
	}
	var parent *lineage
	if w.Depth == Infinite {
		parent = above(ctx, w.FS, w.Root, w.Info)
	}
	if err := newWalking(w, newWalked(w.Root, w.Info, w.Depth, parent, nil)).run(ctx); err != nil {
		return err
	}
	w.Monitor.complete()
	return nil
}

// root delivers only Root. This is the most frequent walk and needs no goroutines.
func (w *Walk) root(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	members := []Member{{Name: w.Root, Info: w.Info}}
	if err := w.Prepare(ctx, members)(); err != nil {
		return err
	}
	w.Monitor.resolveAll(members)
	w.Monitor.complete()
	return nil
}

// resolveAll is like Resolve for each of members.
func (m *Monitor) resolveAll(members []Member) {
	if len(members) == 0 {
		return
	}
	m.update(func(p *Progress) {
		p.Current = members[len(members)-1].Name
		for i := range members {
			advance(p)
			m.recordLocked(Outcome{Name: members[i].Name, Err: members[i].Err})
		}
	})
}
