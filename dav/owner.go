package dav

import (
	"fmt"
	"net/http"

	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// withOwner returns r with its tenant and its principal in the context.
func (h *Handler) withOwner(r *http.Request) (*http.Request, error) {
	ctx := r.Context()
	if h.Tenant != nil {
		owner := h.Tenant(r)
		if len(owner) > tenant.MaxLength {
			return r, fmt.Errorf("dav: Handler.Tenant returned %d bytes (%.40q…): return at most %d, for example a hash", len(owner), owner, tenant.MaxLength)
		}
		ctx = storage.WithTenant(ctx, owner)
	}
	principal := ""
	if h.Principal != nil {
		principal = h.Principal(r)
	}
	if known := principal == storage.PrincipalOf(ctx); known && h.Tenant == nil {
		return r, nil
	} else if !known {
		ctx = storage.WithPrincipal(ctx, principal)
	}
	return r.WithContext(ctx), nil
}

// inState returns the record r of a tenant's operation as the History stores it.
func (h *Handler) inState(of string, r history.Record) history.Record {
	if h.Tenant != nil {
		r.Principal = tenant.Principal(of, r.Principal)
	}
	return r
}

// records returns the part of the history that the tenant of a context may see. Without a
// State, the records are in memory.
func (h *Handler) records() history.Store {
	if h.Tenant != nil {
		return tenant.History{Store: h.allRecords()}
	}
	return h.allRecords()
}

// allRecords returns the records of all tenants. Their principals have the names that
// the state uses.
func (h *Handler) allRecords() history.Store {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.State != nil {
		return h.State.History()
	}
	if h.memHistory == nil {
		h.memHistory = history.NewMem()
	}
	return h.memHistory
}
