package storage

import "context"

// Rationer is an [FS] that may have a quota.
type Rationer interface {
	FS

	// Rationed reports whether a quota limits the available bytes that [Space] returns
	// for name. See the function [Rationed].
	Rationed(ctx context.Context, name string) bool
}

// Rationed reports whether a quota limits the room in the place of name. A tree is then
// counted before it is copied there. Without a [Rationer] it returns false.
func Rationed(ctx context.Context, fsys FS, name string) bool {
	r, ok := fsys.(Rationer)
	return ok && r.Rationed(ctx, name)
}
