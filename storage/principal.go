package storage

import "context"

// The keys in a context.
type (
	principalKey struct{}
	groupsKey    struct{}
	tenantKey    struct{}
)

// WithPrincipal returns a context for the work of principal. See [PrincipalOf].
func WithPrincipal(ctx context.Context, principal string) context.Context {
	return context.WithValue(ctx, principalKey{}, principal)
}

// PrincipalOf returns the authenticated person or program that started the work of ctx, or
// "" if that is unknown. An [FS] that restricts access decides by it. The handler sets it for
// each request, also for an operation that outlives its request.
func PrincipalOf(ctx context.Context) string {
	principal, _ := ctx.Value(principalKey{}).(string)
	return principal
}

// WithGroups returns a context for the work of a principal who belongs to groups. See
// [GroupsOf].
func WithGroups(ctx context.Context, groups []string) context.Context {
	return context.WithValue(ctx, groupsKey{}, groups)
}

// GroupsOf returns the groups of the principal, as they were at the login, or nil if they are
// unknown. The caller must not change them. They are names, such as "family".
func GroupsOf(ctx context.Context) []string {
	groups, _ := ctx.Value(groupsKey{}).([]string)
	return groups
}

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
