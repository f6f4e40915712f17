package lock_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/davd/davd/storage/lock"
)

var errStore = errors.New("the disk is full")

// memStore is a Store that outlives a System. It detects two calls at the same time,
// which no Store has to support.
type memStore struct {
	fail      bool   // each call fails without an effect
	failAfter bool   // each call fails after it has had its effect
	saving    func() // if not nil, SaveLock calls it before its effect
	deleting  func() // the same for DeleteLocks

	busy    sync.Mutex
	locks   []lock.Lock // in the order of their creation
	saves   int
	deletes int
}

func (m *memStore) LoadLocks(context.Context) ([]lock.Lock, error) {
	if m.fail {
		return nil, errStore
	}
	return slices.Clone(m.locks), nil
}

func (m *memStore) SaveLock(_ context.Context, l lock.Lock) error {
	m.begin()
	defer m.busy.Unlock()
	m.saves++
	if m.saving != nil {
		m.saving()
	}
	if m.fail {
		return errStore
	}
	if i := m.find(l.Token); i >= 0 {
		m.locks[i] = l
	} else {
		m.locks = append(m.locks, l)
	}
	return m.result()
}

func (m *memStore) DeleteLocks(_ context.Context, tokens ...string) error {
	m.begin()
	defer m.busy.Unlock()
	m.deletes++
	if m.deleting != nil {
		m.deleting()
	}
	if m.fail {
		return errStore
	}
	m.locks = slices.DeleteFunc(m.locks, func(l lock.Lock) bool { return slices.Contains(tokens, l.Token) })
	return m.result()
}

func (m *memStore) begin() {
	if !m.busy.TryLock() {
		panic("two changes of the Store at the same time")
	}
}

func (m *memStore) result() error {
	if m.failAfter {
		return errStore
	}
	return nil
}

func (m *memStore) find(token string) int {
	return slices.IndexFunc(m.locks, func(l lock.Lock) bool { return l.Token == token })
}

func (m *memStore) tokens() []string {
	var tokens []string
	for _, l := range m.locks {
		tokens = append(tokens, l.Token)
	}
	return tokens
}
