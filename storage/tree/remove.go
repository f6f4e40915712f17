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
// the others go on; the collections that hold it stay.
func Remove(ctx context.Context, fsys storage.FS, name string, mon *Monitor) error {
	info, err := storage.Lstat(ctx, fsys, name)
	if err != nil {
		return err
	}
	r := &remover{ctx: ctx, fsys: fsys, mon: mon, resolve: mon.Resolve}
	mon.Found(1, 0)
	if _, err := r.remove(name, info); err != nil {
		return err
	}
	return r.failures.err()
}

// discard removes the tree at name, which has a reserved name. Its members
// count for mon but are not named.
func discard(ctx context.Context, fsys storage.FS, name string, mon *Monitor) error {
	info, err := storage.Lstat(ctx, fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	r := &remover{ctx: ctx, fsys: fsys, mon: mon, resolve: func(string, error) { mon.Advance() }}
	mon.Found(1, 0)
	if _, err := r.remove(name, info); err != nil {
		return err
	}
	return r.failures.err()
}

type remover struct {
	ctx      context.Context //nolint:containedctx // lives as long as the call of Remove
	fsys     storage.FS
	mon      *Monitor
	resolve  func(name string, err error)
	failures failures
}

// remove reports whether name is gone. Its error is one that ends the whole.
func (r *remover) remove(name string, info fs.FileInfo) (gone bool, err error) {
	if err := r.ctx.Err(); err != nil {
		return false, err
	}
	if info.IsDir() {
		empty, err := r.members(name)
		if err != nil {
			return false, err
		}
		if !empty {
			// Kept by a member that has been named.
			r.mon.Advance()
			return false, nil
		}
	}
	err = storage.Remove(r.ctx, r.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err == nil {
		r.resolve(name, nil)
		return true, nil
	}
	return false, r.fail(name, err)
}

// members removes what the collection name holds and reports whether it is
// empty now.
func (r *remover) members(name string) (empty bool, err error) {
	entries, err := r.list(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		return false, r.fail(name, err)
	}
	empty = true
	for _, entry := range entries {
		gone, err := r.remove(path.Join(name, entry.Name()), entry)
		if err != nil {
			return false, err
		}
		empty = empty && gone
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

// list returns the entries of the collection name. All are read before the
// first is removed: what a directory shows of itself while it changes differs
// from one filesystem to the next.
func (r *remover) list(name string) ([]fs.FileInfo, error) {
	var entries []fs.FileInfo
	for entry, err := range storage.ReadDir(r.ctx, r.fsys, name) {
		if err != nil {
			return nil, err
		}
		r.mon.Found(1, 0)
		entries = append(entries, entry)
	}
	return entries, nil
}
