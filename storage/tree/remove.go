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
	failures failures
	// refuse, if not nil, returns why a member is not to be removed.
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
	_, err = r.remove(name, info)
	return err
}

// remove reports whether name is gone. Its error is one that ends the whole.
func (r *remover) remove(name string, info fs.FileInfo) (gone bool, err error) {
	if err := r.ctx.Err(); err != nil {
		return false, err
	}
	if r.refuse != nil {
		if err := r.refuse(name, info); err != nil {
			return false, r.fail(name, err)
		}
	}
	if info.IsDir() {
		empty, err := r.members(name)
		if err != nil {
			return false, err
		}
		if !empty {
			return false, nil
		}
	}
	return r.removed(name, storage.Remove(r.ctx, r.fsys, name))
}

// removed takes note of what came of removing the single entry name.
func (r *remover) removed(name string, err error) (gone bool, fatal error) {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		r.resolve(name, nil)
		return true, nil
	}
	return false, r.fail(name, err)
}

// members removes what the collection name holds and reports whether it is
// empty now. One that is not has been resolved.
func (r *remover) members(name string) (empty bool, err error) {
	if r.named {
		r.mon.Begin(name)
	}
	entries, err := r.list(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		return false, r.fail(name, err)
	}
	empty = true
	var single []string // entries that have no members
	for _, entry := range entries {
		if !entry.IsDir() && r.refuse == nil {
			single = append(single, entry.Name())
			continue
		}
		gone, err := r.remove(path.Join(name, entry.Name()), entry)
		if err != nil {
			return false, err
		}
		empty = empty && gone
	}
	for member, err := range storage.RemoveMembers(r.ctx, r.fsys, name, single) {
		gone, err := r.removed(path.Join(name, member), err)
		if err != nil {
			return false, err
		}
		empty = empty && gone
	}
	if !empty {
		// Kept by a member that has been named.
		r.mon.Advance()
	}
	return empty, nil
}

// fail names the failure, or returns it when it ends the whole.
func (r *remover) fail(name string, err error) error {
	if fatal(err) {
		return err
	}
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

// list returns the entries of the collection name. All are read before the
// first is removed: what a directory shows of itself while it changes differs
// from one filesystem to the next.
func (r *remover) list(name string) ([]fs.FileInfo, error) {
	var entries []fs.FileInfo
	for entry, err := range storage.ReadDir(r.ctx, r.fsys, name) {
		if err != nil {
			for range entries {
				r.mon.Advance() // They are not to be removed any more.
			}
			return nil, err
		}
		if !r.counted {
			r.mon.Found(1, 0)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}
