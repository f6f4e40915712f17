package tree

import (
	"context"
	"io/fs"
	"sync/atomic"

	"github.com/davd/davd/storage"
)

// removeBatch is how many members of a collection one worker removes at a time.
const removeBatch = 256

// doomed is a resource that is being removed. A collection can be removed itself when it
// is done.
type doomed struct {
	collection
	holder *doomed     // the collection that contains it
	kept   atomic.Bool // a member could not be removed, and was reported
	// resolved reports that the collection could not be listed, and that this failure
	// was reported.
	resolved bool
}

// newDoomed returns the root of a tree that is removed.
func newDoomed(name string, info fs.FileInfo) *doomed {
	var all struct { // one allocation
		root, holder doomed // holder represents the collection that contains name
		lineage      lineage
	}
	all.holder.add()
	all.lineage.info = info
	all.root.collection, all.root.holder = collection{root: name, lineage: &all.lineage}, &all.holder
	return &all.root
}

// entry returns the member of this collection that info describes.
func (of *doomed) entry(info fs.FileInfo) *doomed {
	at := chain{above: &of.chain, base: info.Name()}
	return &doomed{collection: collection{chain: at, root: of.root, lineage: &lineage{info: info}}, holder: of}
}

// collection removes the collection of, called name. The crew removes its files; whoever finishes the
// last part removes the collection itself.
func (r *remover) collection(of *doomed, name string) error {
	if r.named {
		r.mon.Begin(name)
	}
	of.add()
	of.holder.add()
	r.crew.next()
	if err := r.members(of, name); err != nil {
		return err
	}
	of.branch.leave(of.node())
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
	return r.crew.submit(func(ctx context.Context, _ *turn) error {
		name := of.name()
		for member, err := range storage.RemoveMembers(ctx, r.FS, name, members) {
			if err := r.removed(of, below(name, member), err); err != nil {
				return err
			}
		}
		return r.leave(ctx, of)
	})
}
