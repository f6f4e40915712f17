// Package operation keeps the operations that a server is carrying out: COPY, MOVE, DELETE
// and PROPFIND requests that may take long. It lists them, lets identical requests share
// one, keeps an answer that a client could not receive, serves a status document for each,
// and records how they ended.
//
// A [Registry] works for any [Server]. It doesn't know what an operation does.
package operation

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// Operation is a COPY, MOVE, DELETE or PROPFIND that is running or has just ended.
type Operation struct {
	// Tenant is the tenant whose tree the operation works on; "" without tenants.
	Tenant string
	// Principal is the user who sent the request, or "".
	Principal string
	// Method is the method of the request.
	Method string
	// Source is the storage name of the request URI. Destination is the storage name
	// from the header Destination, or "".
	Source, Destination string
	// Started is when the operation began to walk its tree.
	Started time.Time
	// Ended is when the operation ended, and Status is the status of its answer,
	// whether a client got it or not. Both are zero while the operation is running.
	Ended  time.Time
	Status int
	// Progress is the progress when [Registry.Operations] was called, or at the end.
	Progress interim.Progress
}

// operation is an Operation while it runs, and until its record is written.
type operation struct {
	Operation
	depth     int
	overwrite bool
	// success is the status of the answer if the operation does not fail.
	success int
	// key is zero and task nil for a PROPFIND: no other request joins it, and it changes
	// nothing.
	key   Key
	task  Task
	leave func() // called at the end; may be nil
	// ctx is the context of the work. cancel ends it with a cause.
	ctx     context.Context //nolint:containedctx // lives as long as the operation
	cancel  context.CancelCauseFunc
	monitor Monitor
	pace    pace

	lifecycle
}

// lifecycle is where an operation is in its life. The Registry's mu guards it.
//
//	running ────── end ──────▶ ended ── record written ──▶ (only in the history)
//	                             └───── a client forgets it ──▶ forgotten
type lifecycle struct {
	state state
	// id names the operation in URLs. It is "" until the first client needs it.
	id string
	// waiting is the number of requests that wait for the answer.
	waiting int
	// promise says what a client that no longer waits was told.
	promise promise
	// status, err and endedAt are the result, from ended on. done is closed then.
	status  int
	err     error
	endedAt time.Time
	done    chan struct{}
	// answer is the answer that is kept until a client gets it.
	answer *keptAnswer
	// queued says that the record must be written.
	queued bool
}

type state int

const (
	running state = iota
	ended
	forgotten
)

// promise is what clients know about an operation that goes on without them.
type promise int

const (
	promisedNothing promise = iota
	// promisedContinuation: the answer to a client was or will be a 202.
	promisedContinuation
	// promiseDelivered: the 202 has reached the client.
	promiseDelivered
)

// newOperation returns an operation for the request r. Its context ends with ctx.
func newOperation(ctx context.Context, r Request, task Task) *operation {
	about := Operation{Principal: r.Principal, Method: r.Method, Started: time.Now()}
	about.Source, about.Destination = task.Resources()
	about.Tenant, _ = storage.TenantOf(r.Context())
	op := &operation{
		Operation: about, depth: r.Depth, overwrite: r.Overwrite, success: task.Success(), key: r.Key, task: task,
		monitor: task.Monitor(), lifecycle: lifecycle{waiting: 1, done: make(chan struct{})},
	}
	op.ctx, op.cancel = context.WithCancelCause(ctx)
	return op
}

// Follow runs do as an operation that changes nothing, such as a PROPFIND. It is listed and
// sends the interim responses that emission describes, and its context ends with the
// client's connection. do writes the response, whose status is success, unless it returns
// an error for the client.
func (s *Registry) Follow(w http.ResponseWriter, r Request, emission interim.Emission, what Listing, do func(context.Context, *Exchange) error) error {
	op := newOperation(r.Context(), r, what)
	op.task = nil
	if err := s.begin(op); err != nil {
		op.cancel(nil)
		return err
	}
	x := s.newExchange(w, emission, op, asyncPreference{})
	err := s.run(op, func() error {
		defer x.emitter.Stop()
		return do(op.ctx, x)
	})
	return status.Logged(errors.Join(err, x.respond(err)))
}

// Listing describes an operation that changes nothing, for Follow.
type Listing struct {
	Source, Destination string
	Watch               Monitor
	Status              int
}

// Resources implements Task, like the methods below.
func (l Listing) Resources() (source, destination string) { return l.Source, l.Destination }

// Hold returns nil, because a listing claims nothing.
func (Listing) Hold() *Hold { return nil }

// Monitor returns Watch.
func (l Listing) Monitor() Monitor { return l.Watch }

// Do does nothing.
func (Listing) Do(context.Context, func() Operation) error { return nil }

// Success returns Status.
func (l Listing) Success() int { return l.Status }

// errPanicked is the result of an operation whose work panicked.
var errPanicked = errors.New("the operation panicked")

// run does the work of op and ends op. It returns the error for the answer.
func (s *Registry) run(op *operation, work func() error) (err error) {
	err = errPanicked
	defer func() { s.finish(op, err) }()
	err = work()
	if err != nil && errors.Is(err, context.Canceled) {
		if cause := context.Cause(op.ctx); errors.Is(cause, status.ErrShutdown) || errors.Is(cause, errStopped) {
			if status.Answered(err) {
				return status.Logged(cause)
			}
			return cause
		}
	}
	return err
}

// finish takes op off the list and releases its claim. If no client waits for the
// answer, it reports the result to the Server.
func (s *Registry) finish(op *operation, err error) {
	defer op.cancel(nil)
	if op.leave != nil {
		op.leave()
	}
	if unanswered := s.end(op, err); unanswered {
		s.server.Log(s.look(op), err)
	}
}
