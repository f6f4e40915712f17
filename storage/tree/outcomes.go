package tree

import "slices"

// How many outcomes one reader of a Monitor has between two calls of Take. What
// is beyond that is counted but not named.
const (
	maxFailures  = 64
	maxSuccesses = 8
)

// Outcomes are what became of the members since one reader has subscribed to a
// [Monitor]. The methods are safe for concurrent use and do nothing on nil.
type Outcomes struct {
	monitor *Monitor
	// monitor.mu guards these.
	failures  []Outcome
	successes []Outcome // the latest ones
}

// Subscribe returns the outcomes from now on, and the failures so far. To keep them
// costs time, so Close is to be called; nil of a nil Monitor.
func (m *Monitor) Subscribe() *Outcomes {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watchLocked()
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

// Take returns the outcomes since the last call, failures first and in the order
// in which they came: at most a few dozen.
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

// add is called with monitor.mu held.
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
