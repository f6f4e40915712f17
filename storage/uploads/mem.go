package uploads

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Mem is a [Store] in memory. The zero value is empty.
type Mem struct {
	mu       sync.Mutex
	sessions map[string]Session
}

var _ Store = (*Mem)(nil)

// AllUploads implements [Store].
func (m *Mem) AllUploads(ctx context.Context) ([]Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Session
	for _, id := range slices.Sorted(maps.Keys(m.sessions)) {
		all = append(all, m.sessions[id])
	}
	return all, ctx.Err()
}

// SaveUpload implements [Store].
func (m *Mem) SaveUpload(ctx context.Context, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.sessions == nil {
		m.sessions = make(map[string]Session)
	}
	s.Header = s.Header.Clone()
	m.sessions[s.ID] = s
	return nil
}

// DeleteUpload implements [Store].
func (m *Mem) DeleteUpload(ctx context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	delete(m.sessions, id)
	return nil
}
