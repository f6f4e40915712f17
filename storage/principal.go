package storage

import "context"

// principalKey is the key of the principal in a context.
type principalKey struct{}

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
