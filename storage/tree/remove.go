package tree

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// Remove removes name and everything below it, the members of a collection before the
// collection itself, and reports each to mon. It removes symbolic links and never
// follows them. A [*PartialError] names each member that can't be removed; the
// collections that contain it stay, and everything else is removed. The root can't be
// removed, and stays as it is.
func Remove(ctx context.Context, fsys storage.FS, name string, mon *Monitor) error {
	return Engine{FS: fsys}.Remove(ctx, name, mon)
}

// remove removes the source, without what follows.
func (t *transaction) remove(ctx context.Context) error {
	name := t.entry.Source
	if name == "/" {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrInvalid}
	}
	tally := newTally(ctx, &t.Engine, t.mon, false)
	defer tally.close()
	r := &remover{Engine: &t.Engine, ctx: ctx, mon: t.mon, tally: tally, named: true}
	if err := r.tree(name, tally.doomed(&chain{}, name, nil)); err != nil {
		return err
	}
	return r.failures.err()
}

// discard removes the tree at name, which is not the source of an operation. It neither
// counts the members nor names them in a [*PartialError].
func (e *Engine) discard(ctx context.Context, name string) error {
	return (&remover{Engine: e, ctx: ctx}).discard(name, nil)
}

// discardDisplaced is discard for the previous content of the destination, at whatever
// name that is now. It counts the members.
func (t *transaction) discardDisplaced(ctx context.Context, name string) error {
	r := &remover{Engine: &t.Engine, ctx: ctx, mon: t.mon, tally: t.tally}
	b := t.tally.displacedTo(name)
	err := r.discard(name, b)
	if err == nil {
		t.tally.leave(b) // needed if the tree no longer exists
	}
	return err
}

func (r *remover) discard(name string, b *branch) error {
	err := r.tree(name, b)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return r.failures.first()
}

type remover struct {
	*Engine
	ctx      context.Context //nolint:containedctx // lives as long as the call of Remove
	mon      *Monitor
	named    bool   // the request names these members, so mon reports their names
	tally    *tally // nil if mon was told of all members but those below reserved names
	alone    bool   // one goroutine does everything
	failures failures
	crew     *crew
	// refuse, if not nil, returns why a member must not be removed, or nil. The walker
	// calls it right before each removal and then removes the member itself.
	refuse func(name string, info fs.FileInfo) error
}

// tree removes the tree name, whose branch in the tally is b. Its error comes from
// describing name or ends the whole operation.
func (r *remover) tree(name string, b *branch) error {
	info, err := storage.Lstat(r.ctx, r.FS, name)
	if err != nil {
		return err
	}
	r.tally.enter(b)
	r.tally.found(1, 0)
	if !info.IsDir() {
		r.tally.leave(b)
	}
	return r.remove(name, info, b)
}

// remove removes name, which info describes, and everything below it. It returns only
// an error that ends the whole operation. All workers have ended when it returns.
func (r *remover) remove(name string, info fs.FileInfo, b *branch) error {
	r.crew = r.newCrew(r.ctx)
	holder := &doomed{} // represents the collection that contains name
	holder.add()
	return r.crew.run(func() error { return r.entry(holder, name, info, b) })
}

// entry removes one resource; if it is a collection, with its members.
func (r *remover) entry(holder *doomed, name string, info fs.FileInfo, b *branch) error {
	ctx := r.crew.ctx
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.refuse != nil {
		if err := r.refuse(name, info); err != nil {
			return r.removed(holder, name, err)
		}
	}
	if info.IsDir() {
		return r.collection(doomedIn(holder, name, info, b))
	}
	return r.removed(holder, name, storage.Remove(ctx, r.FS, name))
}

// removed records the result of removing name. It returns only an error that ends the
// whole operation.
func (r *remover) removed(holder *doomed, name string, err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		r.resolve(name, nil)
		return nil
	}
	if fatal(err) {
		return err
	}
	holder.kept.Store(true)
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
func (r *remover) members(of *doomed) error {
	r.tally.enter(of.branch)
	name := of.name()
	entries, singles, err := r.list(name)
	if ended := r.crew.ctx.Err(); err != nil && ended != nil {
		return ended // err says nothing about the collection itself.
	}
	branches := r.branches(of, entries)
	r.tally.listed(branches)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // The collection no longer exists, nor do its members.
	}
	if err != nil {
		of.resolved = true
		return r.removed(of.holder, name, err)
	}
	for len(singles) > 0 {
		n := min(len(singles), removeBatch)
		if err := r.submit(of, singles[:n:n]); err != nil {
			return err
		}
		singles = singles[n:]
	}
	for i, entry := range entries {
		entries[i] = nil
		var b *branch
		if branches != nil {
			b, branches[i] = branches[i], nil
		}
		if err := r.entry(of, below(name, entry.Name()), entry, b); err != nil {
			return err
		}
	}
	return nil
}

// branches returns a branch for each of the collections in of, in the same order; nil
// without a tally.
func (r *remover) branches(of *doomed, collections []fs.FileInfo) []*branch {
	if r.tally == nil {
		return nil
	}
	branches := make([]*branch, len(collections))
	for i, info := range collections {
		branches[i] = r.tally.doomed(&chain{above: &of.chain, base: info.Name()}, of.root, &lineage{info: info})
	}
	return branches
}

// list lists the collection name. It returns the entries that the walker must handle
// one by one, and the names of the others. It reads the whole listing before anything
// is removed, because filesystems differ in what they list while a directory changes.
func (r *remover) list(name string) (entries []fs.FileInfo, singles []string, err error) {
	for entry, err := range storage.ReadDir(r.crew.ctx, r.FS, name) {
		if err != nil {
			if r.crew.ctx.Err() == nil {
				for range len(entries) + len(singles) {
					r.mon.Advance() // They will not be removed.
				}
			}
			return nil, nil, err
		}
		r.tally.found(1, 0)
		if entry.IsDir() || r.refuse != nil {
			entries = append(entries, entry)
			continue
		}
		singles = append(singles, entry.Name())
	}
	return entries, singles, nil
}
