package storage

import (
	"context"
	"iter"
	"path"
)

// BatchRemover is an [FS] that can remove many members of one collection faster than one
// by one.
type BatchRemover interface {
	FS

	// RemoveMembers removes the members of the collection name whose last segments
	// are in members, each as [Remover] would. It yields each with its result, in
	// order, and stops when the loop stops.
	RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error]
}

// RemoveMembers removes members of the collection name: files, symbolic links and empty
// collections. It yields the last segment of each, with nil or with the reason why it
// still exists, and continues with the next. Without a [BatchRemover] it calls [Remove]
// for each.
func RemoveMembers(ctx context.Context, fsys FS, name string, members []string) iter.Seq2[string, error] {
	if b, ok := fsys.(BatchRemover); ok {
		return b.RemoveMembers(ctx, name, members)
	}
	return func(yield func(string, error) bool) {
		for _, member := range members {
			err := ctx.Err()
			if err == nil {
				err = Remove(ctx, fsys, path.Join(name, member))
			}
			if !yield(member, err) {
				return
			}
		}
	}
}
