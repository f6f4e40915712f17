package tree

import (
	"context"
	"io/fs"

	"github.com/davd/davd/storage"
)

// Member is a resource that a walk has found.
type Member struct {
	Name string
	// Info is nil if the resource could not be described.
	Info fs.FileInfo
	// Err is why it could not be described or, of a collection, listed.
	Err error
	// Linked: a symbolic link has led to it, below the root of the walk.
	Linked bool
	// Partial: Err has kept some members of this collection from being found. It
	// has been there before without Err.
	Partial bool
}

// A Walk goes through the tree at Root: a collection comes before its members,
// they before what is below them. It reads ahead, in parallel where that is of
// use: what has been found and not been delivered is bounded, whatever the size
// of the tree.
//
// Symbolic links are followed as the backend follows them: one that leads nowhere
// is left out, one to a collection that holds it is there but not entered.
// Reserved names, and what is neither a file nor a collection, are left out.
type Walk struct {
	FS   storage.FS
	Root string
	// Info describes Root as FS.Stat does.
	Info fs.FileInfo
	// Depth is 0, 1 or [Infinite].
	Depth int
	// Limit is how many members may be in front of a collection that is entered. One
	// with more is there with the error [ErrLimit]. Zero: any number.
	Limit int
	// Monitor counts what has been delivered. It may be nil. How much there is it
	// learns at the end.
	Monitor *Monitor
	// Prepare is called with some members by several goroutines at the same time.
	// What it returns is called by Run's, in the order of the members; an error ends
	// the walk. The members must not be used once that has returned.
	Prepare func(ctx context.Context, members []Member) (deliver func() error)
}

// Run walks. It returns the first error of a delivery, or ctx's. No call of the
// storage is under way when it returns.
func (w *Walk) Run(ctx context.Context) error {
	if w.Depth == 0 || !w.Info.IsDir() {
		return w.root(ctx)
	}
	var parent *lineage
	if w.Depth == Infinite {
		parent = above(ctx, w.FS, w.Root, w.Info)
	}
	if err := newWalking(w, newWalked(w.Root, w.Info, w.Depth, parent)).run(ctx); err != nil {
		return err
	}
	w.Monitor.complete()
	return nil
}

// root delivers Root alone: most walks are of that, and need no more.
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

// Visit walks through the tree at root, as a [Walk] does, and calls visit with
// each member in turn.
func Visit(ctx context.Context, fsys storage.FS, root string, depth int, mon *Monitor, visit func(Member) error) error {
	info, err := fsys.Stat(ctx, root)
	if err != nil {
		return err
	}
	w := &Walk{FS: fsys, Root: root, Info: info, Depth: depth, Monitor: mon}
	w.Prepare = func(_ context.Context, members []Member) func() error {
		return func() error {
			for _, member := range members {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := visit(member); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return w.Run(ctx)
}
