package operation

import (
	"context"
	"net/http"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/storage/history"
)

// Request is a request that starts or joins an operation.
type Request struct {
	*http.Request
	// Key is the same for identical requests. It is the zero value if no other request may
	// join the operation.
	Key         Key
	Preferences field.Preferences
	Principal   string
	// Depth is 0, 1 or field.Infinite.
	Depth     int
	Overwrite bool
}

// Task is a COPY, MOVE or DELETE that may begin: it was checked, and holds its claim.
type Task interface {
	// Resources returns the names of the source and the destination, or "", as the client
	// sent them.
	Resources() (source, destination string)
	// Hold is the claim. The operation releases it at the end.
	Hold() *Hold
	Monitor() Monitor
	// Do does the work. snapshot describes the operation. An error that is not only for the
	// log becomes the answer.
	Do(ctx context.Context, snapshot func() Operation) error
	// Success is the status of the answer unless Do fails.
	Success() int
}

// Monitor tells how far an operation is.
type Monitor interface {
	interim.Monitor
	// Failures returns the members that have failed so far, and the number of all.
	Failures() (named []history.Failure, total int64)
}

// Counter is an interim.Counter as a Monitor. It knows no members that fail.
type Counter struct{ interim.Counter }

// Failures implements [Monitor].
func (*Counter) Failures() (named []history.Failure, total int64) { return nil, 0 }

// Listing describes an operation that changes nothing, for Follow.
type Listing struct {
	Source, Destination string
	Watch               Monitor
	Status              int
}
