package tree

import (
	"context"

	"github.com/davd/davd/storage"
)

// removeBatch is how many members of a collection one worker removes at a time.
const removeBatch = 256

// collection removes the collection of, called name. The crew removes its files; whoever
// finishes the last part removes the collection itself.
func (r *remover) collection(of *collection, name string) error {
	if r.named {
		r.mon.Begin(name)
	}
	of.add()
	of.above.add()
	r.crew.walker.next(r.crew.ctx)
	if err := r.members(of, name); err != nil {
		return err
	}
	of.branch.leave(of)
	return of.leave(r.finish)
}

// finish removes a collection that has no members any more. It reports nothing if the
// reason why it stays was reported already.
func (r *remover) finish(of *collection) error {
	switch {
	case of.err != nil:
		return nil //nolint:nilerr // members has reported it
	case of.kept.Load():
		of.above.keep()
		r.mon.Advance()
		return nil
	}
	if err := r.crew.ctx.Err(); err != nil {
		return err
	}
	name := of.name()
	return r.removed(of.above, name, storage.Remove(r.crew.ctx, r.FS, name))
}

// submit hands over members of a collection that have no members themselves.
func (r *remover) submit(of *collection, members []string) error {
	of.add()
	return r.crew.submit(func(ctx context.Context, _ *turn) error {
		name := of.name()
		for member, err := range storage.RemoveMembers(ctx, r.FS, name, members) {
			if err := r.removed(of, below(name, member), err); err != nil {
				return err
			}
		}
		return of.leave(r.finish)
	})
}
