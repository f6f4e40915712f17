package tree

import (
	"slices"
	"sync"
)

// Infinite is the depth of a whole tree (RFC 4918 §10.2).
const Infinite = -1

// How many outcomes a Monitor keeps between two calls of TakeOutcomes. What
// is beyond that is counted but not named.
const (
	maxFailures  = 64
	maxSuccesses = 8
)

// Progress is the state of an operation at one moment.
type Progress struct {
	// Done is the number of members that are finished, failed ones included.
	// It never falls.
	Done int64
	// Known is the number of members known so far; 0 while there is no
	// number. It never falls and is never below Done.
	Known int64
	// Bytes and KnownBytes are the same for the contents of files.
	Bytes, KnownBytes int64
	// Current is the storage name of the member last begun.
	Current string
}

// Outcome is what became of one member of the source.
type Outcome struct {
	// Name is the member's storage name.
	Name string
	// Err is nil when it succeeded.
	Err error
}

// A Monitor counts what an operation does. The operation calls Found, Begin,
// Wrote, Advance and Resolve, any number of readers call Snapshot. All are
// safe for concurrent use, and do nothing on a nil Monitor.
type Monitor struct {
	mu        sync.Mutex
	progress  Progress
	expected  Progress // Known and KnownBytes of a count that runs ahead
	looked    bool     // somebody has asked for a Snapshot
	record    bool
	failures  []Outcome
	successes []Outcome // the latest ones
}

// NewMonitor returns a Monitor that keeps outcomes for TakeOutcomes only when
// record is true.
func NewMonitor(record bool) *Monitor { return &Monitor{record: record} }

// Found adds members, and bytes of content, to what is known.
func (m *Monitor) Found(members, bytes int64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress.Known += members
	m.progress.KnownBytes += bytes
}

// expect says that there are at least so many members, and so many bytes of
// content, in all.
func (m *Monitor) expect(members, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expected.Known = max(m.expected.Known, members)
	m.expected.KnownBytes = max(m.expected.KnownBytes, bytes)
}

// watched reports whether anybody has looked at m, or has said that somebody
// will.
func (m *Monitor) watched() bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.looked || m.record
}

// Begin makes name the current member.
func (m *Monitor) Begin(name string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress.Current = name
}

// Wrote adds n to the bytes done.
func (m *Monitor) Wrote(n int64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress.Bytes += n
	// A file may have grown since it was counted.
	m.progress.KnownBytes = max(m.progress.KnownBytes, m.progress.Bytes)
}

// Advance counts one member as done that has no outcome of its own: one that
// will be seen again, or that is not part of the source.
func (m *Monitor) Advance() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.advanceLocked()
}

// Resolve counts name as done, makes it the current member and keeps its
// outcome.
func (m *Monitor) Resolve(name string, err error) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.progress.Current = name
	m.advanceLocked()
	if m.record {
		m.recordLocked(Outcome{Name: name, Err: err})
	}
}

func (m *Monitor) advanceLocked() {
	m.progress.Done++
	if m.progress.Known > 0 {
		m.progress.Known = max(m.progress.Known, m.progress.Done)
	}
}

func (m *Monitor) recordLocked(outcome Outcome) {
	switch {
	case outcome.Err == nil:
		if len(m.successes) == maxSuccesses {
			copy(m.successes, m.successes[1:])
			m.successes = m.successes[:maxSuccesses-1]
		}
		m.successes = append(m.successes, outcome)
	case len(m.failures) < maxFailures:
		m.failures = append(m.failures, outcome)
	}
}

// Snapshot returns the state of this moment.
func (m *Monitor) Snapshot() Progress {
	if m == nil {
		return Progress{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looked = true
	p := m.progress
	p.Known = max(p.Known, m.expected.Known)
	p.KnownBytes = max(p.KnownBytes, m.expected.KnownBytes)
	return p
}

// TakeOutcomes returns the outcomes since the last call, failures first and
// in the order in which they came: at most a few dozen.
func (m *Monitor) TakeOutcomes() []Outcome {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	outcomes := slices.Concat(m.failures, m.successes)
	m.failures, m.successes = nil, nil
	return outcomes
}
