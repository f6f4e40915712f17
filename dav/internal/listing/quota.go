package listing

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/davd/davd/storage"
)

// quota is the used and available space at a collection, in bytes (RFC 4331).
type quota struct{ used, available int64 }

// quotaOf returns the quota of the collection name, or nil if the storage has none.
func quotaOf(ctx context.Context, fsys storage.FS, name string) (*quota, error) {
	used, available, err := storage.Space(ctx, fsys, name)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("quota: %w", err)
	}
	return &quota{used, available}, nil
}

func appendQuotaAvailable(v *liveValues, dst []byte, _ resource) ([]byte, bool) {
	if v.quota == nil {
		return dst, false
	}
	return strconv.AppendInt(dst, max(v.quota.available, 0), 10), true
}

func appendQuotaUsed(v *liveValues, dst []byte, _ resource) ([]byte, bool) {
	if v.quota == nil {
		return dst, false
	}
	return strconv.AppendInt(dst, max(v.quota.used, 0), 10), true
}
