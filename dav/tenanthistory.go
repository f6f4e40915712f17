package dav

import (
	"context"
	"io/fs"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// tenantHistory shows only the records of the tenant in the context. A record must
// already have the principal's name in the state (inState) when it is saved.
type tenantHistory struct{ history.Store }

// own returns a record of the Store as the tenant of ctx sees it. ok is false if the
// record belongs to another tenant.
func (tenantHistory) own(ctx context.Context, r history.Record) (own history.Record, ok bool) {
	of, isIn := storage.TenantOf(ctx)
	tenant, principal, split := splitPrincipal(r.Principal)
	r.Principal = principal
	return r, isIn && split && tenant == of
}

// LoadOperation implements history.Store.
func (h tenantHistory) LoadOperation(ctx context.Context, id string) (history.Record, error) {
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
func (h tenantHistory) ListOperations(ctx context.Context, principal string) ([]history.Record, error) {
	tenant, ok := storage.TenantOf(ctx)
	if !ok {
		return nil, errNoTenant
	}
	return h.allOwn(ctx)(h.Store.ListOperations(ctx, statePrincipal(tenant, principal)))
}

// AllOperations implements history.Store. It returns all records of the tenant.
func (h tenantHistory) AllOperations(ctx context.Context) ([]history.Record, error) {
	return h.allOwn(ctx)(h.Store.AllOperations(ctx))
}

func (h tenantHistory) allOwn(ctx context.Context) func([]history.Record, error) ([]history.Record, error) {
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

// inState returns the record r of a tenant's operation as the History stores it.
func (h *Handler) inState(tenant string, r history.Record) history.Record {
	if h.Tenant != nil {
		r.Principal = statePrincipal(tenant, r.Principal)
	}
	return r
}

// records returns the part of History that the tenant of a context may see. If History
// is nil, the records are in memory.
func (h *Handler) records() history.Store {
	if h.Tenant != nil {
		return tenantHistory{h.allRecords()}
	}
	return h.allRecords()
}

// allRecords returns the records of all tenants. Their principals have the names that
// the state uses.
func (h *Handler) allRecords() history.Store {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.History != nil {
		return h.History
	}
	if h.memHistory == nil {
		h.memHistory = history.NewMem()
	}
	return h.memHistory
}
