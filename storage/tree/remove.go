package tree

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/davd/davd/storage"
)

// discard removes the tree at name, which is not the source of an operation, and whose
// branch is b. It counts the members in mon, but does not name them in a [*PartialError].
func (e *Engine) discard(ctx context.Context, name string, mon *Monitor, b *branch) error {
	err := storage.RemoveTree(ctx, e.FS, name)
	r := &remover{Engine: e, ctx: ctx, mon: mon}
	if errors.Is(err, errors.ErrUnsupported) {
		err = r.tree(name, b)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return r.failures.first()
}

// remover removes one tree.
type remover struct {
	*Engine
	ctx      context.Context //nolint:containedctx // lives as long as the call of Remove
	mon      *Monitor
	named    bool // the request names these members, so mon reports their names
	failures failures
	crew     *crew
	// refuse, if not nil, returns why a member must not be removed, or nil. The walker
	// calls it right before each removal and then removes the member itself.
	refuse func(name string, info fs.FileInfo) error
}

// tree removes the tree name, whose branch is b. Its error comes from describing name or
// ends the whole operation.
func (r *remover) tree(name string, b *branch) error {
	info, err := storage.Lstat(r.ctx, r.FS, name)
	if err != nil {
		return err
	}
	root := newRoot(name, info)
	b.begin(root, amount{members: 1})
	return r.remove(root)
}

// remove removes root and everything below it. It returns only an error that ends the
// whole operation. All workers have ended when it returns.
func (r *remover) remove(root *collection) error {
	r.crew = r.newCrew(r.ctx)
	return r.crew.run(func() error { return r.entry(root, root.root) })
}

// entry removes one resource, called name; if it is a collection, with its members.
func (r *remover) entry(of *collection, name string) error {
	ctx := r.crew.ctx
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.refuse != nil {
		if err := r.refuse(name, of.info); err != nil {
			return r.removed(of.above, name, err)
		}
	}
	if of.info.IsDir() {
		return r.collection(of, name)
	}
	return r.removed(of.above, name, storage.Remove(ctx, r.FS, name))
}

// removed records the result of removing name. It returns only an error that ends the
// whole operation.
func (r *remover) removed(above *collection, name string, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		r.resolve(name, nil)
		return nil
	}
	if fatal(err) {
		return err
	}
	above.keep()
	r.failures.add(name, err)
	r.resolve(name, err)
	return nil
}

// resolve tells the Monitor that name is removed or has failed.
func (r *remover) resolve(name string, err error) {
	if r.named {
		r.mon.Resolve(name, err)
		return
	}
	r.mon.Advance()
}

// members hands the files in a collection to the crew and walks the collections in it.
func (r *remover) members(of *collection, name string) error {
	entries, singles, err := r.list(of, name)
	if ended := r.crew.ctx.Err(); err != nil && ended != nil {
		return ended // err says nothing about the collection itself.
	}
	of.branch.list(entries)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // The collection no longer exists, nor do its members.
	}
	if err != nil {
		of.err = err
		return r.removed(of.above, name, err)
	}
	for batch := range slices.Chunk(singles, removeBatch) {
		if err := r.submit(of, batch); err != nil {
			return err
		}
	}
	for i, entry := range entries {
		entries[i] = nil // frees the memory of what is already walked
		if err := r.entry(entry, below(name, entry.base)); err != nil {
			return err
		}
	}
	return nil
}

// list lists the collection of, called name. It returns the entries that the walker must
// handle one by one, and the names of the others. It reads the whole listing before
// anything is removed, because filesystems differ in what they list while a directory
// changes.
func (r *remover) list(of *collection, name string) (entries []*collection, singles []string, err error) {
	for entry, err := range storage.ReadDir(r.crew.ctx, r.FS, name) {
		if err != nil {
			if r.crew.ctx.Err() == nil {
				for range len(entries) + len(singles) {
					r.mon.Advance() // They will not be removed.
				}
			}
			return nil, nil, err
		}
		of.branch.find(amount{members: 1})
		if entry.IsDir() || r.refuse != nil {
			entries = append(entries, of.member(entry, entry))
			continue
		}
		singles = append(singles, entry.Name())
	}
	return entries, singles, nil
}
