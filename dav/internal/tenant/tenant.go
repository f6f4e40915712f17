// Package tenant keeps the state of several tenants apart in one store: locks, dead
// properties and records.
package tenant

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/davd/davd/storage"
)

// tenantRoot is the prefix of every name that belongs to a tenant in the state (the
// stores of locks, properties and records). It is reserved, so a Handler without tenants
// has no such name.
const tenantRoot = "/.davd-tenant-"

// Name returns the name in the state of a name of the tenant of ctx. Without tenants, that is name.
func Name(ctx context.Context, name string) string { return View{Prefix(ctx)}.in(name) }

// MaxLength limits the name of a tenant, in bytes.
const MaxLength = 1024

// ErrNone protects tenants from mistakes in this package: a state that tenants share
// refuses a context without a tenant.
var ErrNone = errors.New("dav: the state belongs to tenants, but the context has no tenant")

// Prefix returns the prefix of names in the state for the tenant of ctx, or ""
// without tenants. No two tenants have the same prefix, and no prefix contains another,
// because the name of a tenant becomes a single segment.
func Prefix(ctx context.Context) string {
	tenant, ok := storage.TenantOf(ctx)
	if !ok {
		return ""
	}
	return tenantPrefix(tenant)
}

func tenantPrefix(tenant string) string { return tenantRoot + url.PathEscape(tenant) }

// View translates the storage names of one tenant into names in the state and
// back. No other code does so. The zero value leaves names unchanged.
type View struct{ prefix string }

// ViewOf returns the view for ctx, which must belong to a tenant.
func ViewOf(ctx context.Context) (View, error) {
	prefix := Prefix(ctx)
	if prefix == "" {
		return View{}, ErrNone
	}
	return View{prefix}, nil
}

// in returns the name in the state.
func (v View) in(name string) string {
	if name == "/" && v.prefix != "" {
		return v.prefix
	}
	return v.prefix + name
}

// out is the reverse of in. ok is false if the name belongs to another tenant.
func (v View) out(inState string) (name string, ok bool) {
	name, ok = strings.CutPrefix(inState, v.prefix)
	switch {
	case !ok, name != "" && name[0] != '/':
		return "", false
	case name == "":
		return "/", true
	}
	return name, true
}

// Principal returns the name of a tenant's principal in the state. Principals of
// different tenants have different names there.
func Principal(tenant, principal string) string { return tenantPrefix(tenant) + "/" + principal }

// SplitPrincipal is the reverse of Principal. ok is false if inState is a principal
// of a Handler without tenants.
func SplitPrincipal(inState string) (tenant, principal string, ok bool) {
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
