package dav

import (
	"context"
	"math/rand/v2"
	"path"
	"time"

	"github.com/davd/davd/storage"
)

// distinct returns modified or, if the storage tells versions apart only by time and
// size, a random time in the same second. A client may send the same time for
// different content of the same size, which must not get the same entity tag.
func (h *Handler) distinct(ctx context.Context, name string, modified time.Time) time.Time {
	if modified.IsZero() {
		return modified
	}
	collection, err := h.FileSystem.Stat(ctx, path.Dir(name))
	if err == nil {
		if _, strong := storage.Version(collection); strong {
			return modified
		}
	}
	return time.Unix(modified.Unix(), rand.Int64N(int64(time.Second))) //nolint:gosec // no secret
}
