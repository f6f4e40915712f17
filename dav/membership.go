package dav

import (
	"context"
	"path"
	"time"

	"github.com/davd/davd/storage"
)

// changedMembers gives the collections that have gained or lost names a
// modification time of now, to the nanosecond. The kernel's own has the
// precision of its clock's tick, some milliseconds, within which two changes
// would leave the collection with the same entity tag.
func (h *Handler) changedMembers(ctx context.Context, names ...string) {
	for _, name := range names {
		// Storage that can't set times has its own, or none.
		_ = storage.SetTimes(ctx, h.FileSystem, path.Dir(name), time.Now())
	}
}
