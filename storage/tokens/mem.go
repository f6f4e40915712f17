package tokens

import (
	"cmp"
	"context"
	"io/fs"
	"slices"
	"sync"
	"time"
)

// Mem is a [Store] in memory. The zero value is empty.
type Mem struct {
	mu     sync.Mutex
	tokens []Token
}

// NewMem returns an empty Mem.
func NewMem() *Mem { return new(Mem) }

var _ Store = (*Mem)(nil)

func byName(a, b Token) int {
	return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Name, b.Name))
}

func (m *Mem) indexLocked(user, name string) int {
	return slices.IndexFunc(m.tokens, func(t Token) bool { return t.User == user && t.Name == name })
}

// AllTokens implements [Store].
func (m *Mem) AllTokens(ctx context.Context) ([]Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(slices.Values(m.tokens), byName), ctx.Err()
}

// AddToken implements [Store].
func (m *Mem) AddToken(ctx context.Context, t Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.indexLocked(t.User, t.Name) >= 0 {
		return fs.ErrExist
	}
	m.tokens = append(m.tokens, t)
	return nil
}

// DeleteToken implements [Store].
func (m *Mem) DeleteToken(ctx context.Context, user, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	i := m.indexLocked(user, name)
	if i < 0 {
		return fs.ErrNotExist
	}
	m.tokens = slices.Delete(m.tokens, i, i+1)
	return nil
}

// UseToken implements [Store].
func (m *Mem) UseToken(ctx context.Context, user, name string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if i := m.indexLocked(user, name); i >= 0 {
		m.tokens[i].Used = at
	}
	return nil
}
