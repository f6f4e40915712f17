package tenant

import (
	"context"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// Properties returns store as the tenant of ctx sees it.
func Properties(ctx context.Context, store deadprops.Store) (deadprops.Store, error) {
	view, err := ViewOf(ctx)
	return &properties{store, view}, err
}

// properties has the dead properties of one tenant.
type properties struct {
	store deadprops.Store
	view  View
}

// Any implements deadprops.Store, like the methods below.
func (p *properties) Any(ctx context.Context, name string) (bool, error) {
	return p.store.Any(ctx, p.view.in(name))
}

func (p *properties) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	names := query.Names
	query.Names = make([]string, len(names))
	for i, name := range names {
		query.Names[i] = p.view.in(name)
	}
	found, next, err := p.store.Read(ctx, query)
	own := make(map[string][]webdav.Property, len(found))
	for name, properties := range found {
		if name, ok := p.view.out(name); ok {
			own[name] = properties
		}
	}
	return own, next, err
}

func (p *properties) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	return p.store.Patch(ctx, p.view.in(name), patches)
}

func (p *properties) Move(ctx context.Context, src, dst string) error {
	return p.store.Move(ctx, p.view.in(src), p.view.in(dst))
}

func (p *properties) MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return p.store.MayCopy(ctx, p.view.in(src), p.view.in(dst), zeroDepth)
}

func (p *properties) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return p.store.Copy(ctx, p.view.in(src), p.view.in(dst), zeroDepth)
}

func (p *properties) Remove(ctx context.Context, name string) error {
	return p.store.Remove(ctx, p.view.in(name))
}

// Secure implements deadprops.Securer.
func (p *properties) Secure(ctx context.Context, src, dst string, locks int) (release func(), err error) {
	if dst != "" {
		dst = p.view.in(dst)
	}
	return deadprops.Secure(ctx, p.store, p.view.in(src), dst, locks)
}
