package storage

import "context"

// RemovalChecker is an [FS] with trees that must stay where they are, for example because
// another FS is mounted in them.
type RemovalChecker interface {
	FS

	// CheckRemoval returns the reason why the tree name must stay. See the function
	// [CheckRemoval].
	CheckRemoval(ctx context.Context, name string) error
}

// CheckRemoval returns nil if the tree name may be removed, moved away or replaced, as far as
// that is known without looking at its members. Otherwise the error says why it must stay:
// fs.ErrPermission, or [ErrUnavailable]. It is asked before a DELETE, for the source of a MOVE,
// and for the destination of a COPY or MOVE, even if that doesn't exist. Without a
// [RemovalChecker] it returns nil.
func CheckRemoval(ctx context.Context, fsys FS, name string) error {
	if c, ok := fsys.(RemovalChecker); ok {
		return c.CheckRemoval(ctx, name)
	}
	return nil
}
