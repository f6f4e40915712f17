package mount

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// properties are the dead properties of a name space.
type properties struct {
	store deadprops.Store
	of    *FS
}

// in returns the name in the state, or an error if no share contains it.
func (p *properties) in(ctx context.Context, name string) (string, error) {
	inState, ok := p.of.Names().In(ctx, name)
	if !ok {
		return "", &fs.PathError{Op: "properties", Path: name, Err: fs.ErrPermission}
	}
	return inState, nil
}

// Any implements deadprops.Store, like the methods below.
func (p *properties) Any(ctx context.Context, name string) (bool, error) {
	if inState, ok := p.of.Names().In(ctx, name); ok {
		if found, err := p.store.Any(ctx, inState); found || err != nil {
			return found, err
		}
	}
	for _, share := range p.of.current(ctx).inside(name, "") {
		if found, err := p.store.Any(ctx, share.inState); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

func (p *properties) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	asked := make(map[string]string, len(query.Names))
	names := make([]string, 0, len(query.Names))
	for _, name := range query.Names {
		if inState, ok := p.of.Names().In(ctx, name); ok {
			asked[inState] = name
			names = append(names, inState)
		}
	}
	if len(names) == 0 {
		return nil, nil, ctx.Err()
	}
	query.Names = names
	found, next, err := p.store.Read(ctx, query)
	own := make(map[string][]webdav.Property, len(found))
	for inState, properties := range found {
		own[asked[inState]] = properties
	}
	return own, next, err
}

func (p *properties) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	inState, err := p.in(ctx, name)
	if err != nil {
		return err
	}
	return p.store.Patch(ctx, inState, patches)
}

func (p *properties) Move(ctx context.Context, src, dst string) error {
	from, err := p.in(ctx, src)
	if err != nil {
		return err
	}
	to, err := p.in(ctx, dst)
	if err != nil {
		return err
	}
	return p.store.Move(ctx, from, to)
}

func (p *properties) MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return p.copies(ctx, src, dst, zeroDepth, p.store.MayCopy)
}

// Copy copies the properties of the shares below src too.
func (p *properties) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	if _, ok := p.of.Names().In(ctx, src); !ok {
		if err := p.Remove(ctx, dst); err != nil {
			return err
		}
	}
	return p.copies(ctx, src, dst, zeroDepth, p.store.Copy)
}

// copies calls do for src and for each share below it.
func (p *properties) copies(ctx context.Context, src, dst string, zeroDepth bool, do func(ctx context.Context, src, dst string, zeroDepth bool) error) error {
	to, err := p.in(ctx, dst)
	if err != nil {
		return err
	}
	if from, ok := p.of.Names().In(ctx, src); ok {
		if err := do(ctx, from, to, zeroDepth); err != nil {
			return err
		}
	}
	if zeroDepth {
		return nil
	}
	for _, share := range p.of.current(ctx).inside(src, storage.PrincipalOf(ctx)) {
		if share.name == "" {
			continue // A client without a name doesn't see the storages of users.
		}
		rest := strings.TrimPrefix(share.name, strings.TrimSuffix(src, "/"))
		if err := do(ctx, share.inState, to+rest, false); err != nil {
			return err
		}
	}
	return nil
}

func (p *properties) Remove(ctx context.Context, name string) error {
	inState, err := p.in(ctx, name)
	if err != nil {
		return err
	}
	return p.store.Remove(ctx, inState)
}

// Secure implements deadprops.Securer. For a source that belongs to no share, it secures the
// room for each share in it.
func (p *properties) Secure(ctx context.Context, src, dst string, locks int) (release func(), err error) {
	to := ""
	if dst != "" {
		if to, err = p.in(ctx, dst); err != nil {
			return nil, err
		}
	}
	var sources []string
	if from, ok := p.of.Names().In(ctx, src); ok {
		sources = append(sources, from)
	}
	for _, share := range p.of.current(ctx).inside(src, storage.PrincipalOf(ctx)) {
		if share.name != "" {
			sources = append(sources, share.inState)
		}
	}
	var releases []func()
	release = func() {
		for _, each := range releases {
			each()
		}
	}
	for _, from := range sources {
		one, err := deadprops.Secure(ctx, p.store, from, to, locks)
		if err != nil {
			release()
			return nil, errors.Join(err, ctx.Err())
		}
		releases = append(releases, one)
		locks = 0
	}
	return release, nil
}
