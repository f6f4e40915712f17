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

// properties returns the dead properties of the tenant of ctx: those of State or, without a
// State, those in the files of FileSystem or in memory. If it fails, all methods of the
// result return the error.
func (h *Handler) properties(ctx context.Context) deadprops.Store {
	var store deadprops.Store
	var err error
	if h.State != nil {
		store, err = h.keptProperties(ctx)
	} else {
		store, err = h.defaultProperties(ctx)
	}
	if err != nil {
		return noProperties{err}
	}
	return store
}

// propertySource finds the dead properties for a listing.
type propertySource struct{ h *Handler }

func (s propertySource) Of(ctx context.Context) deadprops.Store { return s.h.properties(ctx) }

// keptProperties returns the dead properties in State or in memory, without a call of the
// storage.
func (h *Handler) keptProperties(ctx context.Context) (deadprops.Store, error) {
	store := deadprops.Store(&h.kept().defaultProps.mem)
	if h.State != nil {
		store = h.State.Properties()
	}
	if h.Tenant == nil {
		return store, nil
	}
	return tenant.Properties(ctx, store)
}

// defaultProps has the dead properties of a Handler without a State.
type defaultProps struct {
	mem deadprops.Mem

	mu     sync.Mutex
	stores map[string]deadprops.Store // by tenant.Prefix
}

// maxDecided limits how many decisions are kept. Losing one is harmless: deciding again
// gives the same result and costs one call of the storage.
const maxDecided = 10_000

// defaultProperties returns the files of FileSystem if they keep dead properties, as those of
// webdav.NewMemFS do, and memory otherwise. It decides on first use, because it must call
// the storage, which can be slow or fail. It decides for each tenant, because each has its
// own tree.
func (h *Handler) defaultProperties(ctx context.Context) (deadprops.Store, error) {
	p, tenant := &h.kept().defaultProps, tenant.Prefix(ctx)
	p.mu.Lock()
	store := p.stores[tenant]
	p.mu.Unlock()
	if store != nil {
		return store, nil
	}
	if h.restricted() {
		ctx = storage.Unrestricted(ctx)
	}
	f, err := h.FileSystem.OpenFile(ctx, "/", os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, holds := f.(webdav.DeadPropsHolder); holds {
		store = heldProps{h.FileSystem}
	} else if store, err = h.keptProperties(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stores == nil || len(p.stores) >= maxDecided {
		p.stores = make(map[string]deadprops.Store)
	}
	p.stores[tenant] = store
	return store, nil
}

// noProperties is a deadprops.Store that can't be used because of err.
type noProperties struct{ err error }

func (n noProperties) Any(context.Context, string) (bool, error)               { return false, n.err }
func (n noProperties) Patch(context.Context, string, []webdav.Proppatch) error { return n.err }
func (n noProperties) Move(context.Context, string, string) error              { return n.err }
func (n noProperties) MayCopy(context.Context, string, string, bool) error     { return n.err }
func (n noProperties) Copy(context.Context, string, string, bool) error        { return n.err }
func (n noProperties) Remove(context.Context, string) error                    { return n.err }

func (n noProperties) Read(context.Context, deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	return nil, nil, n.err
}
