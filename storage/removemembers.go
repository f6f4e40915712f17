package storage

import (
	"context"
	"iter"
	"path"
)

// BatchRemover is an [FS] to which removing many members of one collection
// costs less than removing one after the other.
type BatchRemover interface {
	FS

	// RemoveMembers removes those members of the collection name whose last
	// segments are members, each as [Remover] would, and yields each with what
	// came of it, in order. It stops when the loop does.
	RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error]
}

// RemoveMembers removes members of the collection name: files, symbolic links
// and empty collections. It yields the last segment of each with nil or the
// reason why it is still there, and goes on with the next. Without a
// [BatchRemover] it calls [Remove] for each.
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
