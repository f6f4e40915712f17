package mount

import (
	"context"
	"fmt"
	"sync"

	"github.com/davd/davd/storage"
)

// pin keeps the table of an operation, and notes the identities of the storages that it has used.
type pin struct {
	of    *FS
	table *table

	mu   sync.Mutex
	seen map[pinned]string
}

// pinned is a storage of a share.
type pinned struct {
	share *share
	user  string
}

type pinKey struct{}

// Pin implements storage.Pinner. Shares that [FS.Set] removes stay usable with the context until
// release is called.
func (f *FS) Pin(ctx context.Context) (with context.Context, release func()) {
	if f.pinOf(ctx) != nil {
		return ctx, func() {}
	}
	t := f.table.Load()
	for !t.retain() {
		t = f.table.Load() // Set has replaced it.
	}
	p := &pin{of: f, table: t, seen: map[pinned]string{}}
	return context.WithValue(ctx, pinKey{}, p), sync.OnceFunc(t.release)
}

// pinOf returns the pin of ctx, or nil.
func (f *FS) pinOf(ctx context.Context) *pin {
	p, _ := ctx.Value(pinKey{}).(*pin)
	if p == nil || p.of != f {
		return nil
	}
	return p
}

// tableOf returns the table for the calls of p, which may be nil.
func (f *FS) tableOf(p *pin) *table {
	if p != nil {
		return p.table
	}
	return f.table.Load()
}

// check returns an error if at is now another storage than at the first call with p.
func (p *pin) check(at target) error {
	if p == nil {
		return nil
	}
	key := pinned{at.share, at.user}
	p.mu.Lock()
	defer p.mu.Unlock()
	before, ok := p.seen[key]
	if !ok {
		p.seen[key] = at.in.identity
	}
	if ok && before != at.in.identity {
		return fmt.Errorf("another disk is mounted there since the operation began: %w", storage.ErrUnavailable)
	}
	return nil
}
