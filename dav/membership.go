package dav

import (
	"context"
	"path"
	"time"

	"github.com/davd/davd/storage"
)

// changedMembers sets the modification time of the parent collections of names to
// now, in nanoseconds. The kernel's own time has a precision of only some
// milliseconds: two changes within them would leave the collection with the same
// entity tag.
func (h *Handler) changedMembers(ctx context.Context, names ...string) {
	for _, name := range names {
		// Storage that can't set times keeps its own.
		_ = storage.SetTimes(ctx, h.FileSystem, path.Dir(name), time.Now())
	}
}
