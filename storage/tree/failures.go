package tree

import (
	"cmp"
	"slices"
	"sync"
)

// maxNamedFailures limits how many failures are kept in memory.
const maxNamedFailures = 10_000

// failures collects the failures for a PartialError. It is safe for concurrent use.
type failures struct {
	mu      sync.Mutex
	named   []Outcome
	unnamed int64
	placed  bool // PartialError.Placed
}

func (f *failures) add(name string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.named) < maxNamedFailures {
		f.named = append(f.named, Outcome{Name: name, Err: err})
		return
	}
	f.unnamed++
}

// err returns a *PartialError, or nil if nothing failed.
func (f *failures) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.named) == 0 {
		return nil
	}
	// Several goroutines add failures, so their order is random.
	slices.SortStableFunc(f.named, func(a, b Outcome) int { return cmp.Compare(a.Name, b.Name) })
	return &PartialError{Failures: slices.Clone(f.named), Unnamed: f.unnamed, Placed: f.placed}
}

// first returns the error of the first failure, or nil if nothing failed.
func (f *failures) first() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.named) == 0 {
		return nil
	}
	return f.named[0].Err
}
