package tenant

import (
	"context"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// Properties keeps the dead properties of tenants apart in one Store.
type Properties struct{ store deadprops.Store }

// NewProperties returns store with the properties of different tenants kept apart.
func NewProperties(store deadprops.Store) deadprops.Store { return Properties{store} }

// Any implements deadprops.Store, like the methods below.
func (p Properties) Any(ctx context.Context, name string) (bool, error) {
	view, err := ViewOf(ctx)
	if err != nil {
		return false, err
	}
	return p.store.Any(ctx, view.in(name))
}

func (p Properties) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	view, err := ViewOf(ctx)
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

// Patch implements deadprops.Store.
func (p Properties) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	view, err := ViewOf(ctx)
	if err != nil {
		return err
	}
	return p.store.Patch(ctx, view.in(name), patches)
}

// Move implements deadprops.Store.
func (p Properties) Move(ctx context.Context, src, dst string) error {
	view, err := ViewOf(ctx)
	if err != nil {
		return err
	}
	return p.store.Move(ctx, view.in(src), view.in(dst))
}

// MayCopy implements deadprops.Store.
func (p Properties) MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error {
	view, err := ViewOf(ctx)
	if err != nil {
		return err
	}
	return p.store.MayCopy(ctx, view.in(src), view.in(dst), zeroDepth)
}

// Copy implements deadprops.Store.
func (p Properties) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	view, err := ViewOf(ctx)
	if err != nil {
		return err
	}
	return p.store.Copy(ctx, view.in(src), view.in(dst), zeroDepth)
}

// Remove implements deadprops.Store.
func (p Properties) Remove(ctx context.Context, name string) error {
	view, err := ViewOf(ctx)
	if err != nil {
		return err
	}
	return p.store.Remove(ctx, view.in(name))
}

// Secure implements deadprops.Securer.
func (p Properties) Secure(ctx context.Context, src, dst string, locks int) (release func(), err error) {
	view, err := ViewOf(ctx)
	if err != nil {
		return nil, err
	}
	if dst != "" {
		dst = view.in(dst)
	}
	return deadprops.Secure(ctx, p.store, view.in(src), dst, locks)
}
