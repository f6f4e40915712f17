package tenant

import (
	"context"
	"io/fs"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// History shows only the records of the tenant in the context. A record must
// already have the principal's name in the state ([Principal]) when it is saved.
type History struct{ history.Store }

// own returns a record of the Store as the tenant of ctx sees it. ok is false if the
// record belongs to another tenant.
func (History) own(ctx context.Context, r history.Record) (own history.Record, ok bool) {
	of, isIn := storage.TenantOf(ctx)
	tenant, principal, split := SplitPrincipal(r.Principal)
	r.Principal = principal
	return r, isIn && split && tenant == of
}

// LoadOperation implements history.Store.
func (h History) LoadOperation(ctx context.Context, id string) (history.Record, error) {
	r, err := h.Store.LoadOperation(ctx, id)
	if err != nil {
		return r, err
	}
	own, ok := h.own(ctx, r)
	if !ok {
		return history.Record{}, fs.ErrNotExist
	}
	return own, nil
}

// ListOperations implements history.Store.
func (h History) ListOperations(ctx context.Context, principal string) ([]history.Record, error) {
	tenant, ok := storage.TenantOf(ctx)
	if !ok {
		return nil, ErrNone
	}
	return h.allOwn(ctx)(h.Store.ListOperations(ctx, Principal(tenant, principal)))
}

// AllOperations implements history.Store. It returns all records of the tenant.
func (h History) AllOperations(ctx context.Context) ([]history.Record, error) {
	return h.allOwn(ctx)(h.Store.AllOperations(ctx))
}

func (h History) allOwn(ctx context.Context) func([]history.Record, error) ([]history.Record, error) {
	return func(all []history.Record, err error) ([]history.Record, error) {
		var own []history.Record
		for _, r := range all {
			if r, ok := h.own(ctx, r); ok {
				own = append(own, r)
			}
		}
		return own, err
	}
}
