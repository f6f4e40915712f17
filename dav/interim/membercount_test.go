package interim

import (
	"slices"
	"sync"
)

// memberCount is a Monitor that tests advance.
type memberCount struct {
	mu       sync.Mutex
	progress Progress
	outcomes []Outcome
}

// finish counts a member as done, with the status of a failure or 0.
func (m *memberCount) finish(name string, failed int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress.Done++
	m.progress.Current = name
	m.outcomes = append(m.outcomes, Outcome{Name: name, Status: failed})
}

// Snapshot implements Monitor, like the methods below.
func (m *memberCount) Snapshot() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.progress
}

func (m *memberCount) Subscribe() Outcomes { return m }

func (m *memberCount) Take() []Outcome {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.outcomes
	m.outcomes = nil
	slices.SortStableFunc(taken, func(a, b Outcome) int { return b.Status - a.Status })
	return taken
}

func (m *memberCount) Close() {}
