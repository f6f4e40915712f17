package tree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"

	"github.com/davd/davd/storage"
)

// PartialError says that some members failed while the rest was done.
type PartialError struct {
	// Failures names the members that failed, and why, sorted by name. It does not name
	// a member that failed only because of another one, such as a collection that is
	// not empty because one of its members could not be removed (RFC 4918 §9.6.1).
	Failures []Outcome
	// Unnamed is the number of further failures that Failures does not list.
	Unnamed int64
	// Placed reports that the destination is in place. This is always true for a COPY.
	// For a MOVE it means that only the removal of the source has failed.
	Placed bool
}

// Error names the first failure and counts the others.
func (e *PartialError) Error() string {
	first := e.Failures[0]
	others := int64(len(e.Failures)) - 1 + e.Unnamed
	if others == 0 {
		return fmt.Sprintf("%s: %v", first.Name, first.Err)
	}
	return fmt.Sprintf("%s: %v, and %d more", first.Name, first.Err, others)
}

// Unwrap returns [storage.ErrPartial].
func (e *PartialError) Unwrap() error { return storage.ErrPartial }

// maxNamedFailures limits how many failures are kept in memory.
const maxNamedFailures = 10_000

// failures collects the failures for a PartialError. add is safe for concurrent use, but
// the others may be called only when all workers have ended.
type failures struct {
	mu      sync.Mutex
	named   []Outcome
	unnamed int64
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
func (f *failures) err(placed bool) error {
	if len(f.named) == 0 {
		return nil
	}
	// Several goroutines add failures, so their order is random.
	slices.SortStableFunc(f.named, func(a, b Outcome) int { return cmp.Compare(a.Name, b.Name) })
	return &PartialError{Failures: f.named, Unnamed: f.unnamed, Placed: placed}
}

// first returns the error of the first failure, or nil if nothing failed.
func (f *failures) first() error {
	if len(f.named) == 0 {
		return nil
	}
	return f.named[0].Err
}

// LeftoverError says that the operation is done, but that the tree that it displaced
// could not be removed and stays under a reserved name.
type LeftoverError struct {
	// Name is the reserved name; "" if only the record in the Journal is left.
	Name string
	// Err is the reason.
	Err error
}

// Error names the tree that is left, and says why.
func (e *LeftoverError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("done, but %v", e.Err)
	}
	return fmt.Sprintf("done, but the displaced %s could not be removed: %v", e.Name, e.Err)
}

// Unwrap returns the reason.
func (e *LeftoverError) Unwrap() error { return e.Err }

// FollowError says that the operation is done, but that the [Follower] failed: dead
// properties or locks may still be stored under the old names.
type FollowError struct {
	// Err is the Follower's error.
	Err error
}

// Error returns the text of the Follower's error.
func (e *FollowError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *FollowError) Unwrap() error { return e.Err }

// strandedError says that the previous content of the destination was displaced and
// could not be put back. It has no Unwrap method, because callers take the errors that
// it holds to mean that the destination is unchanged.
type strandedError struct {
	dst, displaced string
	err            error
}

func (e *strandedError) Error() string {
	return fmt.Sprintf("the previous content of %s is now at %s and could not be put back: %v", e.dst, e.displaced, e.err)
}

// fatal reports whether err makes it pointless to continue with other members.
func fatal(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		storage.NoSpace(err) || storage.OutOfFiles(err) ||
		errors.Is(err, syscall.EROFS) || errors.Is(err, storage.ErrTooDeep)
}

// passing reports whether the call that failed with err may succeed soon, without a change of the
// storage.
func passing(err error) bool { return errors.Is(err, storage.ErrUnavailable) }

// done reports whether err says that the operation was carried out.
func done(err error) bool {
	_, leftover := errors.AsType[*LeftoverError](err)
	return leftover
}

// immovable reports whether err, an error of Rename, means that the tree can only be
// copied.
func immovable(err error) bool {
	return !done(err) && storage.Immovable(err)
}
