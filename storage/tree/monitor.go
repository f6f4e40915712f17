package tree

import (
	"slices"
	"sync"
)

// maxKeptFailures is how many failures a Monitor keeps.
const maxKeptFailures = 1000

// Progress is the state of an operation at one moment.
type Progress struct {
	// Done is the number of members that are finished, including failed ones. It never
	// falls.
	Done int64
	// Known is the number of members known so far; 0 while no number is known. It never
	// falls and is never less than Done.
	Known int64
	// Bytes and KnownBytes are the same for the contents of files.
	Bytes, KnownBytes int64
	// Final reports that Known and KnownBytes cover everything that existed when it was
	// listed. They still grow if more appears afterwards.
	Final bool
	// Current is the storage name of the member that was begun last.
	Current string
}

// A Monitor counts what an operation does. The operation calls Found, Begin, Wrote,
// Advance and Resolve; any number of readers call Snapshot, Failures and Subscribe. All
// methods are safe for concurrent use and do nothing on a nil Monitor. The zero value is
// ready for use.
type Monitor struct {
	mu       sync.Mutex
	progress Progress
	open     bool // more may exist than is known
	failures []Outcome
	failed   int64 // all failures, including those in failures
	readers  []*Outcomes
}

// update changes m.
func (m *Monitor) update(change func(p *Progress)) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.progress)
}

// Found adds members, and bytes of their content, to what is known.
func (m *Monitor) Found(members, bytes int64) {
	m.update(func(p *Progress) {
		p.Known += members
		p.KnownBytes += bytes
	})
}

// setOpen says whether more may exist than is known.
func (m *Monitor) setOpen(open bool) { m.update(func(*Progress) { m.open = open }) }

// complete says that everything is done and nothing more exists.
func (m *Monitor) complete() {
	m.update(func(p *Progress) { p.Known, p.KnownBytes = p.Done, p.Bytes })
}

// skip counts n known members as done because they no longer exist.
func (m *Monitor) skip(n int64) {
	m.update(func(p *Progress) {
		p.Done += max(n, 0)
		p.Known = max(p.Known, p.Done)
	})
}

// skipRest counts all known members as done.
func (m *Monitor) skipRest() {
	m.update(func(p *Progress) { p.Done = max(p.Done, p.Known) })
}

// Begin makes name the current member.
func (m *Monitor) Begin(name string) {
	m.update(func(p *Progress) { p.Current = name })
}

// Wrote adds n to the bytes done.
func (m *Monitor) Wrote(n int64) {
	m.update(func(p *Progress) {
		p.Bytes += n
		p.KnownBytes = max(p.KnownBytes, p.Bytes) // A file may have grown since it was counted.
	})
}

// Advance counts one member as done that has no outcome of its own, because it will be
// seen again or is not part of the source.
func (m *Monitor) Advance() { m.update(advance) }

// advanceBy counts members as done, with bytes of content.
func (m *Monitor) advanceBy(members, bytes int64) {
	m.update(func(p *Progress) {
		p.Done += members
		p.Known = max(p.Known, p.Done)
	})
	m.Wrote(bytes)
}

// Resolve counts name as done, makes it the current member and keeps its outcome.
func (m *Monitor) Resolve(name string, err error) {
	m.update(func(p *Progress) {
		p.Current = name
		advance(p)
		m.recordLocked(Outcome{Name: name, Err: err})
	})
}

func advance(p *Progress) {
	p.Done++
	if p.Known > 0 {
		p.Known = max(p.Known, p.Done)
	}
}

func (m *Monitor) recordLocked(outcome Outcome) {
	if outcome.Err != nil {
		m.failed++
		if len(m.failures) < maxKeptFailures {
			m.failures = append(m.failures, outcome)
		}
	}
	for _, reader := range m.readers {
		reader.add(outcome)
	}
}

// Snapshot returns the current state.
func (m *Monitor) Snapshot() Progress {
	if m == nil {
		return Progress{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.progress
	p.Final = p.Known > 0 && !m.open
	return p
}

// Failures returns the first 1,000 members that failed, in the order they
// failed, and the number of all failures.
func (m *Monitor) Failures() (named []Outcome, total int64) {
	if m == nil {
		return nil, 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.failures), m.failed
}
