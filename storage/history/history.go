// Package history keeps records of the long COPY, MOVE, DELETE and PROPFIND operations:
// what the client asked for, how far the operation is, and how it ended. A client can
// read them after its request was answered, or after a restart.
package history

import (
	"context"
	"time"
)

// State says where an operation is in its life.
type State string

const (
	// Running says that it is not over.
	Running State = "running"
	// Finished says that it ended by itself; the status says how.
	Finished State = "finished"
	// Stopped says that it was stopped before its end and has undone what it could.
	Stopped State = "stopped"
	// Interrupted says that the process died before the operation was over.
	Interrupted State = "interrupted"
)

// Stopper says who asked for the stop of an operation.
type Stopper string

const (
	// Owner is the principal of the operation, or the only person who uses the server.
	Owner Stopper = "owner"
	// Administrator is a user who may stop operations of other principals.
	Administrator Stopper = "administrator"
	// Client is a client whose principal is unknown.
	Client Stopper = "client"
)

// Record describes one operation. Databases hold its JSON form.
type Record struct {
	// ID identifies the operation and can't be guessed.
	ID string `json:"id,omitempty"`
	// Principal may see the operation; if it is "", every client that knows the ID may.
	Principal string `json:"principal,omitempty"`
	// Method is the method of the request.
	Method string `json:"method"`
	// Source and Destination are storage names; only a COPY or MOVE has a
	// Destination.
	Source      string `json:"source"`
	Destination string `json:"destination,omitempty"`
	// Depth is 0, 1 or less than 0 for the whole tree.
	Depth int `json:"depth"`
	// Overwrite is the value of the header Overwrite of a COPY or MOVE.
	Overwrite bool `json:"overwrite,omitempty"`

	State State `json:"state"`
	// Started is when the work began, Updated is when the other fields were last true,
	// and Ended is when the operation ended; zero before that. All are kept to the
	// microsecond.
	Started time.Time `json:"started"`
	Updated time.Time `json:"updated"`
	Ended   time.Time `json:"ended,omitzero"`
	// Status is the status of the final response; 0 if there is none or it is unknown.
	Status int `json:"status,omitempty"`
	// Reason explains the result in words that a client may see.
	Reason string `json:"reason,omitempty"`
	// StoppedBy says who stopped the operation on request. It is "" if that is unknown, and if
	// something else stopped it.
	StoppedBy Stopper `json:"stopped_by,omitempty"`
	// Recovery is what the start after a crash did with the operation: a tree.Result,
	// or "" if there was nothing to do.
	Recovery string `json:"recovery,omitempty"`

	// Done and Known count members, Bytes and KnownBytes their content, as in
	// tree.Progress. Known is 0 while no number is known.
	Done       int64 `json:"done"`
	Known      int64 `json:"known"`
	Bytes      int64 `json:"bytes"`
	KnownBytes int64 `json:"known_bytes"`
	// Current is the storage name of the member that was begun last.
	Current string `json:"current,omitempty"`

	// Failures lists members that failed; not all, if they are many. FailuresTotal is
	// the number of all.
	Failures      []Failure `json:"failures,omitempty"`
	FailuresTotal int64     `json:"failures_total,omitempty"`
}

// Failure is a member that failed.
type Failure struct {
	// Name is the storage name of the member.
	Name string `json:"name"`
	// Status is the status that a request for this member alone would get.
	Status int `json:"status"`
}

// Store keeps records. If it keeps them on disk, a change is durable when the method
// returns. All methods are safe for concurrent use.
type Store interface {
	// SaveOperations adds records and replaces those with the same ID. It saves either
	// all of them or none.
	SaveOperations(ctx context.Context, records ...Record) error
	// LoadOperation returns the record id. If it does not exist, the error matches
	// fs.ErrNotExist.
	LoadOperation(ctx context.Context, id string) (Record, error)
	// ListOperations returns the records of principal without their Failures, in
	// reverse order of their addition.
	ListOperations(ctx context.Context, principal string) ([]Record, error)
	// AllOperations is like ListOperations, for all principals.
	AllOperations(ctx context.Context) ([]Record, error)
	// DeleteOperation removes the record id. It is no error if that does not exist.
	DeleteOperation(ctx context.Context, id string) error
	// TrimOperations removes the ended operations that exceed limits. It keeps all that
	// have not Ended.
	TrimOperations(ctx context.Context, limits Limits) error
}

// Limits bound the records of ended operations. The records that were added first are
// removed first.
type Limits struct {
	// Since is the oldest Ended that is kept.
	Since time.Time
	// PerPrincipal is how many records of one principal are kept, Total how many in
	// all.
	PerPrincipal, Total int
}
