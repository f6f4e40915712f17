package listing

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

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

// quotas has the quotas of one listing. It looks up each part of the storage once.
type quotas struct {
	mu    sync.Mutex
	known map[string]*quota // by storage.Part; nil for none
}

// openQuotas returns the quotas with that of the collection name.
func openQuotas(ctx context.Context, fsys storage.FS, name string) (*quotas, error) {
	q, err := quotaOf(ctx, fsys, name)
	if err != nil {
		return nil, err
	}
	return &quotas{known: map[string]*quota{storage.Part(ctx, fsys, name): q}}, nil
}

// of returns the quota of a collection, or nil if it has none or can't be asked.
func (q *quotas) of(ctx context.Context, fsys storage.FS, name string) *quota {
	if q == nil {
		return nil
	}
	part := storage.Part(ctx, fsys, name)
	q.mu.Lock()
	defer q.mu.Unlock()
	found, has := q.known[part]
	if !has {
		found, _ = quotaOf(ctx, fsys, name) // its share may not be available
		q.known[part] = found
	}
	return found
}

func appendQuotaAvailable(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	q := v.quotas.of(v.ctx, v.fsys, r.name)
	if q == nil {
		return dst, false
	}
	return strconv.AppendInt(dst, max(q.available, 0), 10), true
}

func appendQuotaUsed(v *liveValues, dst []byte, r resource) ([]byte, bool) {
	q := v.quotas.of(v.ctx, v.fsys, r.name)
	if q == nil {
		return dst, false
	}
	return strconv.AppendInt(dst, max(q.used, 0), 10), true
}
