package tree

import (
	"context"
	"io/fs"
	"sync/atomic"

	"github.com/davd/davd/storage"
)

// removeBatch is how many members of a collection one worker removes at a time.
const removeBatch = 256

// doomed is a collection that is being removed. It can be removed itself when the
// walker has left it and all its members are gone.
type doomed struct {
	chain
	root   string // the name of the root of the removal
	holder *doomed
	branch *branch // nil without a tally

	pending atomic.Int64 // unfinished parts: the walker, batches and collections
	kept    atomic.Bool  // a member could not be removed, and was reported
	// resolved reports that the collection could not be listed, and that this failure
	// was reported.
	resolved bool
}

// doomedIn returns the collection name, which info describes and holder contains.
func doomedIn(holder *doomed, name string, info fs.FileInfo, b *branch) *doomed {
	of := &doomed{root: holder.root, holder: holder, branch: b}
	if holder.holder == nil {
		of.root = name // holder represents the collection that contains the root.
	} else {
		of.chain = chain{above: &holder.chain, base: info.Name()}
	}
	return of
}

func (of *doomed) name() string { return of.path(of.root) }

// add counts one more part of the collection: the walker, a batch, or a collection in
// it.
func (of *doomed) add() { of.pending.Add(1) }

// collection removes a collection. The crew removes its files; whoever finishes the
// last part removes the collection itself.
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

// leave records that one part of a collection is done. After the last part it removes
// the collection. Then it does the same for the collection above.
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
		if err := r.removed(of.holder, name, storage.Remove(ctx, r.FS, name)); err != nil {
			return err
		}
	}
	return nil
}

// submit hands over members of a collection that have no members themselves.
func (r *remover) submit(of *doomed, members []string) error {
	of.add()
	remove := func(ctx context.Context, _ *turn) error {
		name := of.name()
		for member, err := range storage.RemoveMembers(ctx, r.FS, name, members) {
			if err := r.removed(of, below(name, member), err); err != nil {
				return err
			}
		}
		return r.leave(ctx, of)
	}
	if r.alone {
		return remove(r.crew.ctx, &turn{})
	}
	return r.crew.submit(remove)
}
