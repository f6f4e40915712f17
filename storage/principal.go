package storage

import "context"

// The keys in a context.
type (
	loginKey  struct{}
	tenantKey struct{}
)

// Login says who started the work of a context, and what restricts that work.
type Login struct {
	// Principal is the authenticated person or program, or "" if that is unknown.
	Principal string
	// Groups are groups of the principal that only the login has shown, for example those
	// in a directory of users.
	Groups []string
	// Withheld are rights that this login lacks although the principal has them, for
	// example those of an application password that only reads.
	Withheld Right
	// Unrestricted is for the server's own work, such as recovery. It has all rights.
	Unrestricted bool
}

// WithLogin returns a context for the work of login.
func WithLogin(ctx context.Context, login Login) context.Context {
	return context.WithValue(ctx, loginKey{}, &login)
}

// LoginOf returns who started the work of ctx. An [FS] that restricts access decides by it. The
// handler keeps it for each request, also for an operation that outlives its request.
func LoginOf(ctx context.Context) Login {
	if login, ok := ctx.Value(loginKey{}).(*Login); ok {
		return *login
	}
	return Login{}
}

// WithPrincipal returns a context for the work of principal, with the groups and the withheld
// rights of ctx. See [PrincipalOf].
func WithPrincipal(ctx context.Context, principal string) context.Context {
	login := LoginOf(ctx)
	login.Principal, login.Unrestricted = principal, false
	return WithLogin(ctx, login)
}

// PrincipalOf returns the authenticated person or program that started the work of ctx, or
// "" if that is unknown. The handler sets it for each request, also for an operation that
// outlives its request.
func PrincipalOf(ctx context.Context) string {
	if login, ok := ctx.Value(loginKey{}).(*Login); ok {
		return login.Principal
	}
	return ""
}

// WithGroups returns a context for the work of a principal that belongs to groups. See
// [GroupsOf].
func WithGroups(ctx context.Context, groups []string) context.Context {
	login := LoginOf(ctx)
	login.Groups = groups
	return WithLogin(ctx, login)
}

// GroupsOf returns the groups of the principal, as they were at the login, or nil if they are
// unknown. The caller must not change them. They are names, such as "family".
func GroupsOf(ctx context.Context) []string { return LoginOf(ctx).Groups }

// WithRightsAtMost returns a context whose work has only those rights of its principal that
// are in most.
func WithRightsAtMost(ctx context.Context, most Right) context.Context {
	login := LoginOf(ctx)
	login.Withheld |= RightsWrite &^ most
	return WithLogin(ctx, login)
}

// Unrestricted returns a context for the server's own work, such as recovery, which no right
// restricts.
func Unrestricted(ctx context.Context) context.Context {
	login := LoginOf(ctx)
	if login.Unrestricted {
		return ctx
	}
	login.Unrestricted = true
	return WithLogin(ctx, login)
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
