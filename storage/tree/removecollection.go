package tree

import (
	"context"
	"io/fs"
	"sync/atomic"

	"github.com/davd/davd/storage"
)

// removeBatch is how many members of a collection one worker removes at a time.
const removeBatch = 256

// doomed is a collection that is being removed. It can be removed itself when
// the walker has left it and all that it holds is gone.
type doomed struct {
	chain
	root   string // the name of what is removed
	holder *doomed
	branch *branch // nil without a tally

	pending atomic.Int64 // the walker, batches and collections that are not done
	kept    atomic.Bool  // a member is still there, and has been named
	// resolved: it could not be listed and has been named.
	resolved bool
}

// doomedIn is the collection name in holder, which info describes.
func doomedIn(holder *doomed, name string, info fs.FileInfo, b *branch) *doomed {
	of := &doomed{root: holder.root, holder: holder, branch: b}
	if holder.holder == nil {
		of.root = name // holder stands for what holds the root.
	} else {
		of.chain = chain{above: &holder.chain, base: info.Name()}
	}
	return of
}

func (of *doomed) name() string { return of.path(of.root) }

func (of *doomed) add() { of.pending.Add(1) }

// collection removes a collection: its files and itself by the crew.
func (r *remover) collection(of *doomed) error {
	if r.named {
		r.mon.Begin(of.name())
	}
	of.add()
	of.holder.add()
	if !r.alone {
		r.crew.next()
	}
	if err := r.members(of); err != nil {
		return err
	}
	r.tally.leave(of.branch)
	return r.leave(r.crew.ctx, of)
}

// leave tells a collection that something in it is done, or the walker gone.
// Whoever is the last to leave removes it.
func (r *remover) leave(ctx context.Context, of *doomed) error {
	for ; of.holder != nil && of.pending.Add(-1) == 0; of = of.holder {
		switch {
		case of.resolved:
			continue
		case of.kept.Load():
			of.holder.kept.Store(true)
			r.mon.Advance()
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		name := of.name()
		if err := r.removed(of.holder, name, storage.Remove(ctx, r.fsys, name)); err != nil {
			return err
		}
	}
	return nil
}

// submit removes members of a collection that have none themselves.
func (r *remover) submit(of *doomed, members []string) error {
	of.add()
	remove := func(ctx context.Context, _ *slot) error {
		name := of.name()
		for member, err := range storage.RemoveMembers(ctx, r.fsys, name, members) {
			if err := r.removed(of, below(name, member), err); err != nil {
				return err
			}
		}
		return r.leave(ctx, of)
	}
	if r.alone {
		return remove(r.crew.ctx, &slot{})
	}
	return r.crew.submit(remove)
}
