package objectfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/davd/davd/storage"
)

// RemoveAll removes name and everything below it, in one step.
func (f *FS) RemoveAll(ctx context.Context, name string) error {
	err := f.remove(ctx, name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return at("removeall", name, err)
}

// RemoveTree is RemoveAll, but name must exist.
func (f *FS) RemoveTree(ctx context.Context, name string) error {
	return at("removetree", name, f.remove(ctx, name, false))
}

func (f *FS) remove(ctx context.Context, name string, empty bool) error {
	full, err := started(ctx, name, fs.ErrNotExist)
	switch {
	case err != nil:
		return err
	case full == "/":
		return fs.ErrPermission
	}
	err = f.options.Names.Detach(ctx, full, empty)
	if empty && errors.Is(err, fs.ErrExist) {
		// Content in parts counts as a file.
		if node, found := f.options.Names.Find(ctx, full); found == nil && keepsParts(node) {
			err = f.options.Names.Detach(ctx, full, false)
		}
	}
	return err
}

// RemoveMembers removes members of the collection name.
func (f *FS) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, member := range members {
			// Each has a call of its own, because the loop may stop after any of them.
			err := fs.ErrInvalid
			if member != "" && !strings.Contains(member, "/") {
				err = f.remove(ctx, path.Join(name, member), true)
			}
			if !yield(member, at("remove", path.Join(name, member), err)) {
				return
			}
		}
	}
}

// Rename renames oldName.
func (f *FS) Rename(ctx context.Context, oldName, newName string) error {
	return f.RenameWith(ctx, storage.Renaming{Old: oldName, New: newName})
}

// RenameWith renames as r says, in one step.
func (f *FS) RenameWith(ctx context.Context, r storage.Renaming) error {
	if r.Into != nil && r.Into != storage.FS(f) {
		return r.Failed(syscall.EXDEV)
	}
	old, err := started(ctx, r.Old, fs.ErrNotExist)
	if err != nil {
		return r.Failed(err)
	}
	to, err := started(ctx, r.New, fs.ErrInvalid)
	if err != nil {
		return r.Failed(err)
	}
	switch {
	case old == "/" || to == "/":
		err = fs.ErrPermission
	case r.Swap && storage.Overlap(old, to):
		err = fs.ErrInvalid
		if _, found := f.options.Names.Find(ctx, old); found != nil {
			err = found
		}
	case r.Swap:
		err = f.options.Names.Swap(ctx, old, to)
	default:
		err = f.options.Names.Rename(ctx, old, to, !r.Vacant)
	}
	return r.Failed(storage.Cause(err))
}

// CopyTree copies a tree without a look at its content.
func (f *FS) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	from, err := started(ctx, c.From, fs.ErrNotExist)
	if err == nil {
		var to string
		if to, err = started(ctx, c.To, fs.ErrInvalid); err == nil {
			err = f.options.Names.Copy(ctx, from, to, c.ZeroDepth, c.Copied)
		}
	}
	if err != nil {
		return &os.LinkError{Op: "copytree", Old: c.From, New: c.To, Err: storage.Cause(err)}
	}
	return nil
}

// CopyMembers copies members of a collection. In the same FS, the copies share the objects.
func (f *FS) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	if c.Into != nil && c.Into != storage.FS(f) {
		return storage.CopyEach(ctx, f, c)
	}
	return func(yield func(string, error) bool) {
		for _, member := range c.Members {
			err := f.copyMember(ctx, c, member)
			if err != nil {
				err = &os.LinkError{Op: "copy", Old: c.Source(member), New: c.Target(member), Err: storage.Cause(err)}
			}
			if !yield(member.Name(), err) {
				return
			}
		}
	}
}

func (f *FS) copyMember(ctx context.Context, c storage.Copying, member fs.FileInfo) error {
	src, err := started(ctx, c.Source(member), fs.ErrNotExist)
	if err != nil {
		return err
	}
	dst, err := started(ctx, c.Target(member), fs.ErrInvalid)
	if err != nil {
		return err
	}
	size := member.Size()
	if _, own := member.Sys().(*facts); !own {
		node, err := f.options.Names.Find(ctx, src)
		if err != nil {
			return err
		}
		size = node.Size
	}
	errs, err := f.options.Names.CopyMembers(ctx, path.Dir(src), path.Dir(dst), []string{path.Base(src)}, path.Base(dst))
	if err == nil && len(errs) > 0 {
		err = errs[0]
	}
	if err == nil && c.Wrote != nil && size > 0 {
		c.Wrote(size)
	}
	return err
}
