package tree

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// Remove removes name and all that is below it, members before their
// collection, and reports each to mon. A symbolic link is removed, never
// followed. A member that can't be removed is named in a [*PartialError] and
// the others go on; the collections that hold it stay. The root can't be
// removed, and stays as it is.
func Remove(ctx context.Context, fsys storage.FS, name string, mon *Monitor) error {
	if name == "/" {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrInvalid}
	}
	r := &remover{ctx: ctx, fsys: fsys, mon: mon, named: true}
	if err := r.tree(name); err != nil {
		return err
	}
	return r.failures.err()
}

// discard removes the tree at name, which is not the source of anything. Its
// members count for mon but are not named, not even in a [*PartialError].
func discard(ctx context.Context, fsys storage.FS, name string, mon *Monitor) error {
	r := &remover{ctx: ctx, fsys: fsys, mon: mon}
	err := r.tree(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return r.failures.first()
}

type remover struct {
	ctx      context.Context //nolint:containedctx // lives as long as the call of Remove
	fsys     storage.FS
	mon      *Monitor
	named    bool // the members are the request's, and mon learns their names
	counted  bool // mon knows of them
	alone    bool // all is done by one goroutine
	failures failures
	crew     *crew
	// refuse, if not nil, returns why a member is not to be removed. It is asked
	// right before the removal, so that all is done by one goroutine.
	refuse func(name string, info fs.FileInfo) error
}

// tree removes the tree name, which mon does not know of. Its error is that of
// describing name, or one that ends the whole.
func (r *remover) tree(name string) error {
	info, err := storage.Lstat(r.ctx, r.fsys, name)
	if err != nil {
		return err
	}
	r.mon.Found(1, 0)
	return r.remove(name, info)
}

// remove removes name, which info describes, and what is below it. Its error is
// one that ends the whole. No worker is left when it returns.
func (r *remover) remove(name string, info fs.FileInfo) error {
	r.crew = newCrew(r.ctx)
	holder := &doomed{} // stands for what holds name
	holder.add()
	return r.crew.run(func() error { return r.entry(holder, name, info) })
}

// entry removes one resource, a collection with its members.
func (r *remover) entry(holder *doomed, name string, info fs.FileInfo) error {
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
		return r.collection(&doomed{name: name, holder: holder})
	}
	return r.removed(holder, name, storage.Remove(ctx, r.fsys, name))
}

// removed takes note of what came of removing name. Its error is one that ends
// the whole.
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

// resolve reports that nothing more will be done about name.
func (r *remover) resolve(name string, err error) {
	if r.named {
		r.mon.Resolve(name, err)
		return
	}
	r.mon.Advance()
}

// members hands the files that a collection holds to the crew, and walks the
// collections.
func (r *remover) members(of *doomed) error {
	entries, singles, err := r.list(of.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // It is gone, with all that it held.
	}
	if err != nil {
		of.resolved = true
		return r.removed(of.holder, of.name, err)
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
		if err := r.entry(of, path.Join(of.name, entry.Name()), entry); err != nil {
			return err
		}
	}
	return nil
}

// list returns the entries of the collection name: those to be looked at one
// by one, and the names of the others. All are read before the first is
// removed: what a directory shows of itself while it changes differs from one
// filesystem to the next.
func (r *remover) list(name string) (entries []fs.FileInfo, singles []string, err error) {
	for entry, err := range storage.ReadDir(r.crew.ctx, r.fsys, name) {
		if err != nil {
			for range len(entries) + len(singles) {
				r.mon.Advance() // They are not to be removed any more.
			}
			return nil, nil, err
		}
		if !r.counted {
			r.mon.Found(1, 0)
		}
		if entry.IsDir() || r.refuse != nil {
			entries = append(entries, entry)
			continue
		}
		singles = append(singles, entry.Name())
	}
	return entries, singles, nil
}
