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

// tenantRoot begins the name that a resource of a tenant has in the state. It is
// reserved, so no resource of a Handler without tenants has such a name.
const tenantRoot = "/.davd-tenant-"

// maxTenant is how long the name of a tenant may be, in bytes.
const maxTenant = 1024

// errNoTenant protects tenants from a mistake in this package: a state that is
// shared by tenants refuses a context that belongs to none of them.
var errNoTenant = errors.New("dav: the state has tenants, and the context belongs to none")

// withTenant returns r with its tenant in the context.
func (h *Handler) withTenant(r *http.Request) (*http.Request, error) {
	if h.Tenant == nil {
		return r, nil
	}
	tenant := h.Tenant(r)
	if len(tenant) > maxTenant {
		return r, fmt.Errorf("dav: Handler.Tenant returned %d bytes (%.40q…): return at most %d, for example a hash", len(tenant), tenant, maxTenant)
	}
	return r.WithContext(storage.WithTenant(r.Context(), tenant)), nil
}

// statePrefix returns what names in the state begin with for requests like the one
// of ctx: "" without tenants. Two tenants never have the same one, and neither
// contains the other: the name of a tenant becomes a single segment.
func statePrefix(ctx context.Context) string {
	tenant, ok := storage.TenantOf(ctx)
	if !ok {
		return ""
	}
	return tenantPrefix(tenant)
}

func tenantPrefix(tenant string) string { return tenantRoot + url.PathEscape(tenant) }

// tenantView turns storage names into names in the state and back, for one tenant.
// It is the only code that does so. With the zero value they are the same.
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

// out is the reverse of in. ok is false if the name in the state is another
// tenant's.
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

// statePrincipal returns what names the principal of a tenant in the state, where
// the same principal of another tenant is another one.
func statePrincipal(tenant, principal string) string {
	return tenantView{tenantPrefix(tenant)}.inPrincipal(principal)
}

// splitPrincipal is the reverse of statePrincipal. ok is false if inState names a
// principal of a Handler without tenants.
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
