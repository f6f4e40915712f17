package storage

import (
	"context"
	"io/fs"
	"iter"
	"path"
)

// Remover is an [FS] that can remove members of a collection, but never members of theirs.
type Remover interface {
	FS

	// RemoveMembers removes members of a collection. See the function [RemoveMembers].
	RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error]
}

// RemoveMembers removes the members of the collection name whose last segments are in
// members: files, symbolic links (never their targets) and empty collections. It yields
// each with nil or with the reason why it still exists, in order, and continues with the
// next. For a collection with members that is fs.ErrExist. It stops when the loop stops.
//
// Without a [Remover], it checks that a collection has no members and calls RemoveAll. A
// member that is created between the two is lost.
func RemoveMembers(ctx context.Context, fsys FS, name string, members []string) iter.Seq2[string, error] {
	if r, ok := fsys.(Remover); ok {
		return r.RemoveMembers(ctx, name, members)
	}
	return func(yield func(string, error) bool) {
		for _, member := range members {
			err := ctx.Err()
			if err == nil {
				err = removeEntry(ctx, fsys, path.Join(name, member))
			}
			if !yield(member, err) {
				return
			}
		}
	}
}

// Remove removes one entry as [RemoveMembers] does. The root can't be removed.
func Remove(ctx context.Context, fsys FS, name string) error {
	name = Clean(name)
	if name == "/" {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrPermission}
	}
	for _, err := range RemoveMembers(ctx, fsys, path.Dir(name), []string{path.Base(name)}) {
		return err
	}
	return ctx.Err()
}

func removeEntry(ctx context.Context, fsys FS, name string) error {
	info, err := Lstat(ctx, fsys, name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		for _, err := range ReadDir(ctx, fsys, name) {
			if err == nil {
				err = &fs.PathError{Op: "remove", Path: name, Err: fs.ErrExist}
			}
			return err
		}
	}
	return fsys.RemoveAll(ctx, name)
}
