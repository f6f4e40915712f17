package dav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/davd/davd/storage"
)

// tenantRoot is the prefix of every name that belongs to a tenant in the state (the
// stores of locks, properties and records). It is reserved, so a Handler without tenants
// has no such name.
const tenantRoot = "/.davd-tenant-"

// maxTenant limits the name of a tenant, in bytes.
const maxTenant = 1024

// errNoTenant protects tenants from mistakes in this package: a state that tenants share
// refuses a context without a tenant.
var errNoTenant = errors.New("dav: the state belongs to tenants, but the context has no tenant")

// withOwner returns r with its tenant and its principal in the context.
func (h *Handler) withOwner(r *http.Request) (*http.Request, error) {
	ctx := r.Context()
	if h.Tenant != nil {
		tenant := h.Tenant(r)
		if len(tenant) > maxTenant {
			return r, fmt.Errorf("dav: Handler.Tenant returned %d bytes (%.40q…): return at most %d, for example a hash", len(tenant), tenant, maxTenant)
		}
		ctx = storage.WithTenant(ctx, tenant)
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

// statePrefix returns the prefix of names in the state for the tenant of ctx, or ""
// without tenants. No two tenants have the same prefix, and no prefix contains another,
// because the name of a tenant becomes a single segment.
func statePrefix(ctx context.Context) string {
	tenant, ok := storage.TenantOf(ctx)
	if !ok {
		return ""
	}
	return tenantPrefix(tenant)
}

func tenantPrefix(tenant string) string { return tenantRoot + url.PathEscape(tenant) }

// tenantView translates the storage names of one tenant into names in the state and
// back. No other code does so. The zero value leaves names unchanged.
type tenantView struct{ prefix string }

// viewOfTenant returns the view for ctx, which must belong to a tenant.
func viewOfTenant(ctx context.Context) (tenantView, error) {
	prefix := statePrefix(ctx)
	if prefix == "" {
		return tenantView{}, errNoTenant
	}
	return tenantView{prefix}, nil
}

// in returns the name in the state.
func (v tenantView) in(name string) string {
	if name == "/" && v.prefix != "" {
		return v.prefix
	}
	return v.prefix + name
}

// out is the reverse of in. ok is false if the name belongs to another tenant.
func (v tenantView) out(inState string) (name string, ok bool) {
	name, ok = strings.CutPrefix(inState, v.prefix)
	switch {
	case !ok, name != "" && name[0] != '/':
		return "", false
	case name == "":
		return "/", true
	}
	return name, true
}

// inPrincipal returns the principal in the state.
func (v tenantView) inPrincipal(principal string) string { return v.prefix + "/" + principal }

// statePrincipal returns the name of a tenant's principal in the state. Principals of
// different tenants have different names there.
func statePrincipal(tenant, principal string) string {
	return tenantView{tenantPrefix(tenant)}.inPrincipal(principal)
}

// splitPrincipal is the reverse of statePrincipal. ok is false if inState is a principal
// of a Handler without tenants.
func splitPrincipal(inState string) (tenant, principal string, ok bool) {
	rest, ok := strings.CutPrefix(inState, tenantRoot)
	if !ok {
		return "", inState, false
	}
	escaped, principal, ok := strings.Cut(rest, "/")
	tenant, err := url.PathUnescape(escaped)
	if !ok || err != nil {
		return "", inState, false
	}
	return tenant, principal, true
}
