package storage

import "context"

// tenantKey is the key of the tenant in a context.
type tenantKey struct{}

// WithTenant returns a context that belongs to tenant. See [TenantOf].
func WithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// TenantOf returns the tenant that ctx belongs to; ok is false if it belongs to none. An
// [FS] that contains several independent trees uses the tenant to choose one. The handler
// sets it for each request. The recovery of a tree operation, which has no request, takes
// it from the journal.
func TenantOf(ctx context.Context) (tenant string, ok bool) {
	tenant, ok = ctx.Value(tenantKey{}).(string)
	return tenant, ok
}
