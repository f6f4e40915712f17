package tree

import "slices"

// Outcome is what became of one member of the source.
type Outcome struct {
	// Name is the member's storage name.
	Name string
	// Err is nil if the member succeeded.
	Err error
}

// How many outcomes are kept for one reader of a Monitor between two calls of Take. The
// Monitor counts further ones, but does not keep their names.
const (
	maxFailures  = 64
	maxSuccesses = 8
)

// Outcomes collects what became of the members since a reader subscribed to a
// [Monitor]. The methods are safe for concurrent use and do nothing on nil.
type Outcomes struct {
	monitor *Monitor
	// The mutex monitor.mu guards these.
	failures  []Outcome
	successes []Outcome // the latest ones
}

// Subscribe returns an Outcomes that holds the failures so far and collects all
// outcomes from now on. Collecting costs time, so the caller must call Close. A nil
// Monitor returns nil.
func (m *Monitor) Subscribe() *Outcomes {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o := &Outcomes{monitor: m, failures: slices.Clone(m.failures[:min(len(m.failures), maxFailures)])}
	m.readers = append(m.readers, o)
	return o
}

// Close ends the subscription. It may be called more than once.
func (o *Outcomes) Close() {
	if o == nil {
		return
	}
	m := o.monitor
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readers = slices.DeleteFunc(m.readers, func(other *Outcomes) bool { return other == o })
}

// Take returns the outcomes since the last call: at most the first 64 failures, then
// the last 8 successes, each in the order of their occurrence.
func (o *Outcomes) Take() []Outcome {
	if o == nil {
		return nil
	}
	o.monitor.mu.Lock()
	defer o.monitor.mu.Unlock()
	outcomes := slices.Concat(o.failures, o.successes)
	o.failures, o.successes = nil, nil
	return outcomes
}

// add must be called with monitor.mu held.
func (o *Outcomes) add(outcome Outcome) {
	switch {
	case outcome.Err == nil:
		if len(o.successes) == maxSuccesses {
			copy(o.successes, o.successes[1:])
			o.successes = o.successes[:maxSuccesses-1]
		}
		o.successes = append(o.successes, outcome)
	case len(o.failures) < maxFailures:
		o.failures = append(o.failures, outcome)
	}
}
