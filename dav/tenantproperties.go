package dav

import (
	"context"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// tenantProperties keeps the dead properties of tenants apart in one Store.
type tenantProperties struct{ store deadprops.Store }

// Any implements deadprops.Store, like the methods below.
func (p tenantProperties) Any(ctx context.Context, name string) (bool, error) {
	view, err := viewOfTenant(ctx)
	if err != nil {
		return false, err
	}
	return p.store.Any(ctx, view.in(name))
}

func (p tenantProperties) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	view, err := viewOfTenant(ctx)
	if err != nil {
		return nil, nil, err
	}
	names := query.Names
	query.Names = make([]string, len(names))
	for i, name := range names {
		query.Names[i] = view.in(name)
	}
	found, next, err := p.store.Read(ctx, query)
	own := make(map[string][]webdav.Property, len(found))
	for name, properties := range found {
		if name, ok := view.out(name); ok {
			own[name] = properties
		}
	}
	return own, next, err
}

func (p tenantProperties) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	view, err := viewOfTenant(ctx)
	if err != nil {
		return err
	}
	return p.store.Patch(ctx, view.in(name), patches)
}

func (p tenantProperties) Move(ctx context.Context, src, dst string) error {
	view, err := viewOfTenant(ctx)
	if err != nil {
		return err
	}
	return p.store.Move(ctx, view.in(src), view.in(dst))
}

func (p tenantProperties) MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error {
	view, err := viewOfTenant(ctx)
	if err != nil {
		return err
	}
	return p.store.MayCopy(ctx, view.in(src), view.in(dst), zeroDepth)
}

func (p tenantProperties) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	view, err := viewOfTenant(ctx)
	if err != nil {
		return err
	}
	return p.store.Copy(ctx, view.in(src), view.in(dst), zeroDepth)
}

func (p tenantProperties) Remove(ctx context.Context, name string) error {
	view, err := viewOfTenant(ctx)
	if err != nil {
		return err
	}
	return p.store.Remove(ctx, view.in(name))
}

// Secure implements deadprops.Securer.
func (p tenantProperties) Secure(ctx context.Context, src, dst string, locks int) (release func(), err error) {
	view, err := viewOfTenant(ctx)
	if err != nil {
		return nil, err
	}
	if dst != "" {
		dst = view.in(dst)
	}
	return deadprops.Secure(ctx, p.store, view.in(src), dst, locks)
}
