package history

import (
	"cmp"
	"context"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// Mem is a [Store] in memory. The zero value is empty.
type Mem struct {
	mu      sync.Mutex
	records map[string]memRecord
	last    int64 // the number of the newest record
}

type memRecord struct {
	Record
	number int64 // counts the records in the order in which they were added
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
	if m.records == nil {
		m.records = make(map[string]memRecord)
	}
	for _, record := range records {
		number := m.records[record.ID].number
		if number == 0 {
			m.last++
			number = m.last
		}
		record.Failures = slices.Clone(record.Failures)
		m.records[record.ID] = memRecord{record, number}
	}
	return nil
}

// LoadOperation implements [Store].
func (m *Mem) LoadOperation(ctx context.Context, id string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record, found := m.records[id]
	if !found {
		return Record{}, fs.ErrNotExist
	}
	record.Failures = slices.Clone(record.Failures)
	return record.Record, ctx.Err()
}

// ListOperations implements [Store].
func (m *Mem) ListOperations(ctx context.Context, principal string) ([]Record, error) {
	return m.list(func(r memRecord) bool { return r.Principal == principal }), ctx.Err()
}

// AllOperations implements [Store].
func (m *Mem) AllOperations(ctx context.Context) ([]Record, error) {
	return m.list(func(memRecord) bool { return true }), ctx.Err()
}

func (m *Mem) list(wanted func(memRecord) bool) []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Record
	for _, record := range m.newestLocked(wanted) {
		record.Failures = nil
		list = append(list, record.Record)
	}
	return list
}

// newestLocked returns the wanted records, the newest first.
func (m *Mem) newestLocked(wanted func(memRecord) bool) []memRecord {
	list := slices.SortedFunc(maps.Values(m.records), func(a, b memRecord) int { return cmp.Compare(b.number, a.number) })
	return slices.DeleteFunc(list, func(r memRecord) bool { return !wanted(r) })
}

// DeleteOperation implements [Store].
func (m *Mem) DeleteOperation(ctx context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	delete(m.records, id)
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
	for _, record := range m.newestLocked(func(r memRecord) bool { return !r.Ended.IsZero() }) {
		if record.Ended.Before(limits.Since) || of[record.Principal] == limits.PerPrincipal || total == limits.Total {
			delete(m.records, record.ID)
			continue
		}
		of[record.Principal]++
		total++
	}
	return nil
}
