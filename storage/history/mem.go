package history

import (
	"context"
	"io/fs"
	"slices"
	"sync"
)

// Mem is a [Store] in memory. The zero value is empty.
type Mem struct {
	mu      sync.Mutex
	records []Record // in the order they were added
}

// NewMem returns an empty Mem.
func NewMem() *Mem { return &Mem{} }

var _ Store = (*Mem)(nil)

// SaveOperations implements [Store].
func (m *Mem) SaveOperations(ctx context.Context, records ...Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, record := range records {
		record.Failures = slices.Clone(record.Failures)
		if i := m.indexLocked(record.ID); i >= 0 {
			m.records[i] = record
		} else {
			m.records = append(m.records, record)
		}
	}
	return nil
}

func (m *Mem) indexLocked(id string) int {
	return slices.IndexFunc(m.records, func(r Record) bool { return r.ID == id })
}

// LoadOperation implements [Store].
func (m *Mem) LoadOperation(ctx context.Context, id string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.indexLocked(id)
	if i < 0 {
		return Record{}, fs.ErrNotExist
	}
	record := m.records[i]
	record.Failures = slices.Clone(record.Failures)
	return record, ctx.Err()
}

// ListOperations implements [Store].
func (m *Mem) ListOperations(ctx context.Context, principal string) ([]Record, error) {
	return m.list(func(r Record) bool { return r.Principal == principal }), ctx.Err()
}

// AllOperations implements [Store].
func (m *Mem) AllOperations(ctx context.Context) ([]Record, error) {
	return m.list(func(Record) bool { return true }), ctx.Err()
}

func (m *Mem) list(wanted func(Record) bool) (list []Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, record := range slices.Backward(m.records) {
		if wanted(record) {
			record.Failures = nil
			list = append(list, record)
		}
	}
	return list
}

// DeleteOperation implements [Store].
func (m *Mem) DeleteOperation(ctx context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.records = slices.DeleteFunc(m.records, func(r Record) bool { return r.ID == id })
	return nil
}

// TrimOperations implements [Store].
func (m *Mem) TrimOperations(ctx context.Context, limits Limits) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	total, of := 0, make(map[string]int)
	slices.Reverse(m.records) // The newest come first, because they stay.
	m.records = slices.DeleteFunc(m.records, func(r Record) bool {
		switch {
		case r.Ended.IsZero():
			return false
		case r.Ended.Before(limits.Since) || of[r.Principal] == limits.PerPrincipal || total == limits.Total:
			return true
		}
		of[r.Principal]++
		total++
		return false
	})
	slices.Reverse(m.records)
	return nil
}
