package dav

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// Operation is a COPY, MOVE, DELETE or PROPFIND that is running or has just ended.
type Operation struct {
	// Tenant is the tenant whose tree the operation works on, from Handler.Tenant; ""
	// without tenants.
	Tenant string
	// Principal is the user who sent the request, from Handler.Principal.
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
	// Progress is the progress when [Handler.Operations] was called, or at the end.
	Progress tree.Progress
}

// operation is an Operation while it runs, and until its record is written.
type operation struct {
	Operation
	depth     int
	overwrite bool
	// success is the status of the answer if the operation does not fail.
	success int
	// key is zero and claim nil for a PROPFIND: no other request joins it, and it
	// changes nothing.
	key   operationKey
	claim *claim
	// leave, if not nil, undoes enterOperation.
	leave   func()
	context operationContext
	monitor *tree.Monitor
	pace    pace

	// operations.mu guards the rest.

	// id names the operation in URLs. It is "" until the first client needs it.
	id string
	// over says that the operation has ended, at endedAt, with status and err.
	over    bool
	status  int
	err     error
	endedAt time.Time
	// ended is closed at the end. It is nil until a goroutine waits for the end.
	ended chan struct{}
	// waiting is the number of requests that wait for the answer.
	waiting int
	// detached says that a client was told with a 202 that the operation continues
	// without it. answered says that the 202 reached the client.
	detached, answered bool
	// answer is the answer that is kept until a client gets it.
	answer *keptAnswer
	// queued says that the record must be written, forgotten that it must be removed.
	queued, forgotten bool
}

// newOperation returns an operation for the request r. Its context ends with ctx.
func (h *Handler) newOperation(ctx context.Context, r *request, about Operation) *operation {
	about.Principal, about.Method, about.Started = r.principal(), r.Method, time.Now()
	about.Tenant, _ = storage.TenantOf(r.Context())
	op := &operation{
		Operation: about, monitor: new(tree.Monitor), waiting: 1,
		context: operationContext{Context: ctx},
	}
	// The caller has already refused invalid headers.
	op.depth, _, _ = r.depthField().InListing(r.Method)
	op.overwrite, _ = r.overwrite()
	return op
}

// workFunc does the work of a PROPFIND or a probe, and writes the response to x.res unless
// it returns an error for the client.
type workFunc func(ctx context.Context, x *exchange, monitor *tree.Monitor) error

// operateWith runs work as an operation, which is listed, counted and sends interim
// responses that emission describes. Its context ends with the client's connection.
// success is the status of the response that work writes.
func (h *Handler) operateWith(emission interim.Emission, w http.ResponseWriter, r *request, about Operation, success int, work workFunc) error {
	op := h.newOperation(r.Context(), r, about)
	op.success = success
	if err := h.operations.begin(h, op); err != nil {
		return err
	}
	x := h.newExchange(w, emission, op, asyncPreference{})
	err := h.run(op, func() error {
		defer x.e.Stop()
		return work(&op.context, x, op.monitor)
	})
	return status.Logged(errors.Join(err, x.respond(err)))
}

// errPanicked is the result of an operation whose work panicked.
var errPanicked = errors.New("the operation panicked")

// run does the work of op and ends op. It returns the error for the answer.
func (h *Handler) run(op *operation, work func() error) (err error) {
	err = errPanicked
	defer func() { h.endOperation(op, err) }()
	err = work()
	if err != nil && errors.Is(err, context.Canceled) {
		if cause := context.Cause(&op.context); errors.Is(cause, ErrShutdown) || errors.Is(cause, errStopped) {
			if status.Answered(err) {
				return status.Logged(cause)
			}
			return cause
		}
	}
	return err
}

// endOperation takes op off the list and releases its claim. If no client waits for
// the answer, it reports the result to OperationLogger.
func (h *Handler) endOperation(op *operation, err error) {
	defer op.context.end()
	if op.leave != nil {
		op.leave()
	}
	if unanswered := h.operations.end(h, op, err); unanswered && h.OperationLogger != nil {
		h.OperationLogger(h.operations.look(op), err)
	}
}

// emission says what the interim responses to r report about an operation with a method
// on the resource root.
func (h *Handler) emission(r *http.Request, method, root string) interim.Emission {
	return interim.Emission{Request: r, Policy: &h.Interim, Root: root, Success: interim.SuccessOf(method), URL: h.absoluteURL(r)}
}
