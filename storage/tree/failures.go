package tree

import (
	"cmp"
	"slices"
	"sync"
)

// maxNamedFailures bounds the memory that failures take.
const maxNamedFailures = 10_000

// failures gathers what goes into a PartialError. Several goroutines may add.
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

// err returns a *PartialError, or nil when nothing failed.
func (f *failures) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.named) == 0 {
		return nil
	}
	// In which order several goroutines meet failures is chance.
	slices.SortStableFunc(f.named, func(a, b Outcome) int { return cmp.Compare(a.Name, b.Name) })
	return &PartialError{Failures: slices.Clone(f.named), Unnamed: f.unnamed, Placed: f.placed}
}

// first returns the first failure as one of the whole; nil when nothing failed.
func (f *failures) first() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.named) == 0 {
		return nil
	}
	return f.named[0].Err
}
