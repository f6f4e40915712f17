package storage

import "context"

// tenantKey is the context's key of the tenant.
type tenantKey struct{}

// WithTenant returns a context that belongs to tenant. See [TenantOf].
func WithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// TenantOf returns the tenant that ctx belongs to; ok is false if it belongs to
// none. An [FS] that holds several independent trees chooses one by it: the
// handler sets it for each request, and the recovery of a tree operation, which
// has no request, sets it from the journal.
func TenantOf(ctx context.Context) (tenant string, ok bool) {
	tenant, ok = ctx.Value(tenantKey{}).(string)
	return tenant, ok
}
