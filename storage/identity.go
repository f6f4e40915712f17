package storage

import "context"

// Identifier is an [FS] that can tell its storage from another one that is later served
// under the same name.
type Identifier interface {
	FS

	// Identity identifies the storage behind name. See the function [Identity].
	Identity(ctx context.Context, name string) (string, error)
}

// Identity returns a short text that identifies the storage behind name, such as a disk,
// and that stays the same after a restart. name need not exist. The journal keeps the
// identity of each side of an operation, so that recovery never touches another storage.
// "" means that nothing identifies the storage, which is also the result without an
// [Identifier].
func Identity(ctx context.Context, fsys FS, name string) (string, error) {
	if identifier, ok := fsys.(Identifier); ok {
		return identifier.Identity(ctx, name)
	}
	return "", ctx.Err()
}
