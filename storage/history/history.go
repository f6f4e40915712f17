// Package history keeps the records of operations: of each long COPY, MOVE,
// DELETE and PROPFIND what it was asked, how far it is and how it ended, for a
// client that asks after its request was answered, or after a restart.
package history

import (
	"context"
	"time"
)

// State is where an operation is in its life.
type State string

const (
	// Running says that it is under way.
	Running State = "running"
	// Finished says that it has ended by itself; the status says how.
	Finished State = "finished"
	// Stopped says that it was stopped before its end, and has rolled back what
	// could be.
	Stopped State = "stopped"
	// Interrupted says that the process died while it was under way.
	Interrupted State = "interrupted"
)

// Record is what is known of one operation.
type Record struct {
	// ID is its name, which can't be guessed.
	ID string
	// Principal is whose it is; "" anybody's who knows the ID.
	Principal string
	// Method is the request's.
	Method string
	// Source and Destination are storage names; only a COPY or MOVE has a
	// Destination.
	Source, Destination string
	// Depth is 0, 1 or less than 0 for the whole tree.
	Depth int
	// Overwrite is what the header of a COPY or MOVE said.
	Overwrite bool

	State State
	// Started is when its work began, Updated when the rest was last true, and
	// Ended when it was over; zero while it is not. They are kept to the
	// microsecond.
	Started, Updated, Ended time.Time
	// Status is that of the final response; 0: there is none, or it is not known.
	Status int
	// Reason says why, in words that are fit for a client.
	Reason string
	// Recovery is what the start after a crash did with it: a tree.Result, or ""
	// when there was nothing to do.
	Recovery string

	// Done and Known are members, Bytes and KnownBytes their content, as in
	// tree.Progress. Known is 0 while there is no number.
	Done, Known, Bytes, KnownBytes int64
	// Current is the storage name of the member last begun.
	Current string

	// Failures are the members that failed, not all if there are many;
	// FailuresTotal counts all.
	Failures      []Failure
	FailuresTotal int64
}

// Failure is a member that failed.
type Failure struct {
	// Name is its storage name.
	Name string
	// Status is what would answer a request for it alone.
	Status int
}

// Store keeps records. What a method has changed is durable when it returns, if
// the Store keeps anything at all. All methods are safe for concurrent use.
type Store interface {
	// SaveOperations adds records, or replaces those that have the same ID: all
	// of them or none.
	SaveOperations(ctx context.Context, records ...Record) error
	// LoadOperation returns the record id, or an error that is fs.ErrNotExist.
	LoadOperation(ctx context.Context, id string) (Record, error)
	// ListOperations returns the records of principal without their Failures,
	// those that were added last first.
	ListOperations(ctx context.Context, principal string) ([]Record, error)
	// AllOperations is ListOperations for all principals.
	AllOperations(ctx context.Context) ([]Record, error)
	// DeleteOperation removes the record id. One that is not there is no error.
	DeleteOperation(ctx context.Context, id string) error
	// TrimOperations removes what is beyond limits of the records that have
	// Ended. The others stay.
	TrimOperations(ctx context.Context, limits Limits) error
}

// Limits bound the records of what has ended. Those that were added first go
// first.
type Limits struct {
	// Since is the oldest Ended that is kept.
	Since time.Time
	// PerPrincipal and Total are how many are kept of one principal and in all.
	PerPrincipal, Total int
}
