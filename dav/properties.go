package dav

import (
	"context"
	"os"
	"sync"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// properties returns the store of dead properties: that of State or, without a State, the
// files of FileSystem or memory.
func (h *Handler) properties() deadprops.Store {
	if h.State != nil {
		return keptByTenant(h.State.Properties(), h.Tenant != nil)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.defaultProps == nil {
		h.defaultProps = &defaultProps{fsys: h.FileSystem, mem: keptByTenant(deadprops.NewMem(), h.Tenant != nil)}
	}
	return h.defaultProps
}

// keptByTenant returns store, with the properties of different tenants kept apart if
// requests belong to tenants.
func keptByTenant(store deadprops.Store, tenants bool) deadprops.Store {
	if !tenants {
		return store
	}
	return tenant.NewProperties(store)
}

// defaultProps is the deadprops.Store of a Handler without a State. It uses the files
// of fsys if they keep dead properties, as those of webdav.NewMemFS do, and memory
// otherwise. It decides on first use, because it must call the storage, which can be slow
// or fail. It decides for each tenant, because each has its own tree.
type defaultProps struct {
	fsys storage.FS
	mem  deadprops.Store

	mu     sync.Mutex
	stores map[string]deadprops.Store // by tenant.Prefix
}

// maxDecided limits how many decisions are kept. Losing one is harmless: deciding again
// gives the same result and costs one call of the storage.
const maxDecided = 10_000

// decide returns the store for the tenant of ctx.
func (p *defaultProps) decide(ctx context.Context) (deadprops.Store, error) {
	tenant := tenant.Prefix(ctx)
	p.mu.Lock()
	store := p.stores[tenant]
	p.mu.Unlock()
	if store != nil {
		return store, nil
	}
	f, err := p.fsys.OpenFile(ctx, "/", os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	store = p.mem
	if _, holds := f.(webdav.DeadPropsHolder); holds {
		store = heldProps{p.fsys}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stores == nil || len(p.stores) >= maxDecided {
		p.stores = make(map[string]deadprops.Store)
	}
	p.stores[tenant] = store
	return store, nil
}

// Any implements deadprops.Store, like the methods below.
func (p *defaultProps) Any(ctx context.Context, name string) (bool, error) {
	store, err := p.decide(ctx)
	if err != nil {
		return false, err
	}
	return store.Any(ctx, name)
}

func (p *defaultProps) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	store, err := p.decide(ctx)
	if err != nil {
		return nil, nil, err
	}
	return store.Read(ctx, query)
}

func (p *defaultProps) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	store, err := p.decide(ctx)
	if err != nil {
		return err
	}
	return store.Patch(ctx, name, patches)
}

func (p *defaultProps) Move(ctx context.Context, src, dst string) error {
	store, err := p.decide(ctx)
	if err != nil {
		return err
	}
	return store.Move(ctx, src, dst)
}

// MayCopy asks mem without a call of the storage: files that keep properties refuse
// nothing, and mem is empty then.
func (p *defaultProps) MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return p.mem.MayCopy(ctx, src, dst, zeroDepth)
}

func (p *defaultProps) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	store, err := p.decide(ctx)
	if err != nil {
		return err
	}
	return store.Copy(ctx, src, dst, zeroDepth)
}

func (p *defaultProps) Remove(ctx context.Context, name string) error {
	store, err := p.decide(ctx)
	if err != nil {
		return err
	}
	return store.Remove(ctx, name)
}
