package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/davd/davd/storage"
)

var (
	// ErrOverlap says that source and destination are the same or one
	// contains the other. Nothing was touched.
	ErrOverlap = errors.New("source and destination overlap")
	// ErrLoop says that a symbolic link leads to a collection that holds it,
	// so that its members can't be copied.
	ErrLoop = errors.New("symbolic link to a collection that contains it")
	// ErrChanged says that a file of the source has become a collection, or a
	// collection a file, while it was copied.
	ErrChanged = errors.New("the source has changed meanwhile from a file to a collection or back")
	// ErrLimit says that a walk does not enter a collection, because it has found
	// as many members as it may.
	ErrLimit = errors.New("too many members")
)

// PartialError says that some members failed while the rest was done.
type PartialError struct {
	// Failures names the members that failed, and why, in the order of their
	// names. A member that could not be done only because of another one
	// (a collection that is not empty because its member could not be
	// removed) is not named (RFC 4918 §9.6.1).
	Failures []Outcome
	// Unnamed is how many more there were.
	Unnamed int64
	// Placed: the destination is in place. Of a COPY it always is; of a MOVE it
	// is when only the removal of the source has failed.
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

// LeftoverError says that the operation is done, but that the tree that it
// displaced could not be removed and stays under a reserved name.
type LeftoverError struct {
	// Name is the reserved name; "" when only the record in the Journal is left.
	Name string
	// Err is why it could not be removed.
	Err error
}

// Error says which tree was left, and why.
func (e *LeftoverError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("done, but %v", e.Err)
	}
	return fmt.Sprintf("done, but the displaced %s could not be removed: %v", e.Name, e.Err)
}

// Unwrap returns the reason.
func (e *LeftoverError) Unwrap() error { return e.Err }

// FollowError says that the operation is done, but that what belongs to names
// (dead properties, locks) could not follow.
type FollowError struct {
	Err error
}

// Error says why.
func (e *FollowError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *FollowError) Unwrap() error { return e.Err }

// strandedError says that what was at the destination has been displaced and
// could not be put back. It matches no other error, because after those the
// destination is as it was.
type strandedError struct {
	dst, displaced string
	err            error
}

func (e *strandedError) Error() string {
	return fmt.Sprintf("what was at %s is at %s: %v", e.dst, e.displaced, e.err)
}

// fatal reports whether err makes it pointless to go on with other members.
func fatal(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		storage.NoSpace(err) || storage.OutOfFiles(err) ||
		errors.Is(err, syscall.EROFS) || errors.Is(err, storage.ErrTooDeep)
}

// immovable reports whether err, from Rename, says that only copying helps.
func immovable(err error) bool {
	return !done(err) && storage.Immovable(err)
}

// linkError is the error of an operation on two names.
func linkError(op, src, dst string, err error) error {
	return &fs.PathError{Op: op, Path: src + " to " + dst, Err: err}
}
