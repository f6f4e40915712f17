package dav

import (
	"context"
	"os"
	"sync"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// properties returns where dead properties are kept: Properties or, where there
// is none, the files of FileSystem or memory.
func (h *Handler) properties() deadprops.Store {
	if h.Properties != nil {
		return h.Properties
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.defaultProps == nil {
		h.defaultProps = &defaultProps{fsys: h.FileSystem}
	}
	return h.defaultProps
}

// defaultProps is the deadprops.Store of a Handler without one: the files of
// fsys, if they keep dead properties, as those of webdav.NewMemFS do; otherwise
// memory. Which of them is found out when it matters, because that is a call of
// the storage, which can be slow or fail.
type defaultProps struct {
	fsys storage.FS

	mu    sync.Mutex
	store deadprops.Store
}

// decide returns the store. When two decide at a time, the first wins.
func (p *defaultProps) decide(ctx context.Context) (deadprops.Store, error) {
	p.mu.Lock()
	store := p.store
	p.mu.Unlock()
	if store != nil {
		return store, nil
	}
	f, err := p.fsys.OpenFile(ctx, "/", os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	store = deadprops.NewMem()
	if _, holds := f.(webdav.DeadPropsHolder); holds {
		store = heldProps{p.fsys}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.store == nil {
		p.store = store
	}
	return p.store, nil
}

// Any implements deadprops.Store, as all that follow.
func (p *defaultProps) Any(ctx context.Context, name string) (bool, error) {
	store, err := p.decide(ctx)
	if err != nil {
		return false, err
	}
	return store.Any(ctx, name)
}

func (p *defaultProps) Read(ctx context.Context, names ...string) (map[string][]webdav.Property, error) {
	store, err := p.decide(ctx)
	if err != nil {
		return nil, err
	}
	return store.Read(ctx, names...)
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
