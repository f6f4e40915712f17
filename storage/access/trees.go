package access

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"

	"github.com/davd/davd/storage"
)

// moves are the rights at the old name of a rename. They include the right to read, because the
// principal may be able to read at the new name.
const moves = storage.RightsRead | storage.RightDelete

// Rename implements storage.FS.
func (a *FS) Rename(ctx context.Context, oldName, newName string) error {
	if err := a.mayRename(ctx, storage.Renaming{Old: oldName, New: newName}, a); err != nil {
		return err
	}
	return a.FS.Rename(ctx, oldName, newName)
}

// RenameWith implements storage.Renamer.
func (a *FS) RenameWith(ctx context.Context, r storage.Renaming) error {
	into := a
	if r.Into != nil {
		into, _ = r.Into.(*FS)
	}
	if err := a.mayRename(ctx, r, into); err != nil {
		return err
	}
	if r.Into != nil && into != nil {
		r.Into = into.FS
	}
	return storage.RenameWith(ctx, a.FS, r)
}

// mayRename returns nil if the principal may rename as r says. into contains the new name; it
// is nil if that is in an FS without rights.
func (a *FS) mayRename(ctx context.Context, r storage.Renaming, into *FS) error {
	if isOwn(ctx, r.Old) {
		return nil // The server puts back what it had put aside.
	}
	if !storage.Reserved(r.Old) {
		need := moves
		if storage.Reserved(r.New) {
			need = storage.RightDelete // No client can read it at that name.
		}
		if err := a.may(ctx, "rename", r.Old, need, true, false); err != nil {
			return err
		}
	}
	if into == nil || storage.Reserved(r.New) {
		return nil
	}
	if err := into.mayPut(ctx, r); err != nil {
		return err
	}
	if !r.Swap || storage.Reserved(r.Old) {
		return nil
	}
	// The principal may also have to move the other way. If not, two renames may still do.
	if a.may(ctx, "rename", r.Old, storage.RightCreate, true, false) != nil || into.may(ctx, "rename", r.New, moves, true, false) != nil {
		return r.Failed(errors.ErrUnsupported)
	}
	return nil
}

// isOwn reports whether name is a reserved one that no tree is built under.
func isOwn(ctx context.Context, name string) bool {
	if !storage.Reserved(name) {
		return false
	}
	_, _, staged := storage.Staged(ctx, name)
	return !staged
}

// mayPut returns nil if the principal may give r.Old the name r.New. A tree that it displaces
// must be removable.
func (a *FS) mayPut(ctx context.Context, r storage.Renaming) error {
	v, err := a.judge(ctx, r.New, false)
	switch {
	case err != nil:
		return err
	case storage.Reserved(r.Old):
		// The members of a tree that was built were decided one by one.
		err = v.need("rename", r.New, storage.RightCreate)
	default:
		err = v.needTree("rename", r.New, storage.RightCreate)
	}
	if err != nil || v.tree.Has(storage.RightDelete) {
		return err
	}
	_, err = storage.Lstat(ctx, a.FS, r.New)
	if errors.Is(err, fs.ErrNotExist) && !r.Swap {
		return nil
	}
	if err != nil {
		return err
	}
	return v.needTree("rename", r.New, storage.RightDelete)
}

// RemoveMembers implements storage.Remover.
func (a *FS) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	if a.allAlike(ctx, name, storage.RightDelete, false) {
		return storage.RemoveMembers(ctx, a.FS, name, members)
	}
	return func(yield func(string, error) bool) {
		for i, member := range members {
			err := a.may(ctx, "remove", path.Join(name, member), storage.RightDelete, true, false)
			if err == nil {
				err = first(storage.RemoveMembers(ctx, a.FS, name, members[i:i+1]))
			}
			if !yield(member, err) {
				return
			}
		}
	}
}

// allAlike reports whether the principal has the rights need at name, and no member can have
// other rights, or lead elsewhere. makes says that members are made.
func (a *FS) allAlike(ctx context.Context, name string, need storage.Right, makes bool) bool {
	q := a.ask(ctx, name, makes)
	v := q.spelled()
	return v.uniform && v.tree.Has(need)
}

// CopyMembers implements storage.Copier.
func (a *FS) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	into := a
	if c.Into != nil {
		into, _ = c.Into.(*FS)
	}
	if into != nil && c.Into != nil {
		c.Into = into.FS
	}
	if a.allAlike(ctx, c.From, storage.RightRead, false) && (into == nil || into.allAlike(ctx, c.To, storage.RightCreate, true)) {
		return storage.CopyMembers(ctx, a.FS, c)
	}
	members := c.Members
	return func(yield func(string, error) bool) {
		for i, member := range members {
			err := a.may(ctx, "copy", c.Source(member), storage.RightRead, false, member.Mode()&fs.ModeSymlink == 0)
			if err == nil && into != nil {
				err = into.mayMake(ctx, "copy", c.Target(member))
			}
			if err == nil {
				one := c
				one.Members = members[i : i+1]
				err = first(storage.CopyMembers(ctx, a.FS, one))
			}
			if !yield(member.Name(), err) {
				return
			}
		}
	}
}

// first returns the result for the only member.
func first(results iter.Seq2[string, error]) error {
	for _, err := range results {
		return err
	}
	return nil
}
