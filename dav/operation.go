package dav

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// Operation is a COPY, MOVE, DELETE or PROPFIND that is under way, or has just ended.
type Operation struct {
	// Tenant is whose tree it works on, as Handler.Tenant says; "" without that.
	Tenant string
	// Principal is who has sent the request, as Handler.Principal says.
	Principal string
	// Method is the request's.
	Method string
	// Source is the storage name of the request URI, Destination that of the
	// header Destination, or "".
	Source, Destination string
	// Started is when its walk began.
	Started time.Time
	// Ended is when it was over, and Status what its answer is or would have been;
	// zero while it is under way.
	Ended  time.Time
	Status int
	// Progress is how far it was when [Handler.Operations] was called, or in the end.
	Progress tree.Progress
}

// operation is an Operation while it runs, and until its record is kept.
type operation struct {
	Operation
	depth     int
	overwrite bool
	// key is zero, and claim nil, of what nobody joins and nothing follows: a
	// PROPFIND.
	key   operationKey
	claim *claim
	// leave, if not nil, ends what enterOperation has begun.
	leave   func()
	context operationContext
	monitor *tree.Monitor
	pace    pace

	// mu of the operations guards the rest.

	// id names it in URLs; "" until somebody is told.
	id string
	// over: status and err are how it ended, at endedAt.
	over    bool
	status  int
	err     error
	endedAt time.Time
	// ended is closed at the end, if somebody waits for that.
	ended chan struct{}
	// waiting is how many requests wait for its answer.
	waiting int
	// detached: a client was told with a 202 that it goes on by itself; answered:
	// that has reached it.
	detached, answered bool
	// answer is what is kept of the answer while nobody has got it.
	answer *keptAnswer
	// queued: its record is to be written; forgotten: it is to be removed.
	queued, forgotten bool
}

// newOperation returns the operation about that r asks for, which ends with ctx.
func (h *Handler) newOperation(ctx context.Context, r *http.Request, about Operation) *operation {
	about.Principal, about.Method, about.Started = h.principal(r), r.Method, time.Now()
	about.Tenant, _ = storage.TenantOf(r.Context())
	op := &operation{
		Operation: about, monitor: tree.NewMonitor(false), waiting: 1,
		context: operationContext{Context: ctx},
	}
	// What is wrong with them has been refused.
	op.depth, _ = depth(r, tree.Infinite, "0", "1", "infinity")
	op.overwrite, _ = overwrite(r)
	return op
}

// workFunc is what a PROPFIND does. Content that it writes to w before it
// returns is streamed; otherwise status and err become the response.
type workFunc func(ctx context.Context, w *response, monitor *tree.Monitor) (status int, err error)

// operate runs work as an operation: listed, counted, with interim responses,
// and with a context that ends with the client's connection.
func (h *Handler) operate(w http.ResponseWriter, r *http.Request, about Operation, work workFunc) (status int, err error) {
	return h.operateWith(h.newEmitter(r, about.Source), w, about, work)
}

// operateWith is operate with an emitter that has its request and its config.
func (h *Handler) operateWith(e *emitter, w http.ResponseWriter, about Operation, work workFunc) (status int, err error) {
	r := e.request
	op := h.newOperation(r.Context(), r, about)
	if err := h.operations.begin(h, op); err != nil {
		return statusOf(err), err
	}
	x := h.newExchange(w, e, op)
	status, err = h.run(op, func() (int, error) {
		defer e.stop()
		return work(&op.context, x.res, op.monitor)
	})
	return 0, errors.Join(err, x.respond(status, err))
}

// errPanicked is how an operation has ended whose work panicked.
var errPanicked = errors.New("the operation panicked")

// run does the work of op and ends it. The status and err that it returns are
// those of the answer.
func (h *Handler) run(op *operation, work func() (int, error)) (status int, err error) {
	status, err = http.StatusInternalServerError, errPanicked
	defer func() { h.endOperation(op, status, err) }()
	status, err = work()
	if err != nil && errors.Is(err, context.Canceled) {
		if cause := context.Cause(&op.context); errors.Is(cause, ErrShutdown) || errors.Is(cause, errStopped) {
			err = cause
			if status != 0 {
				status = statusOf(err)
			}
		}
	}
	return status, err
}

// endOperation takes op off the list and releases what it has claimed. What was
// answered to nobody is kept, and reported.
func (h *Handler) endOperation(op *operation, status int, err error) {
	defer op.context.end()
	if op.leave != nil {
		op.leave()
	}
	if unanswered := h.operations.end(h, op, status, err); unanswered && h.OperationLogger != nil {
		h.OperationLogger(h.operations.look(op), err)
	}
}

// newEmitter returns the emitter for r, whose URI has the storage name root.
func (h *Handler) newEmitter(r *http.Request, root string) *emitter {
	e := &emitter{
		request: r, config: &h.Interim,
		root: root, success: memberSuccess[r.Method], url: h.absoluteURL(r),
	}
	if e.undecided = !prefers(r, "processing"); !e.undecided {
		e.grant = h.Interim.grant(r)
	}
	return e
}

// memberSuccess is the status of a member that did not fail, for Status-URI.
var memberSuccess = map[string]int{
	"COPY":     http.StatusCreated,
	"MOVE":     http.StatusCreated,
	"DELETE":   http.StatusNoContent,
	"PROPFIND": http.StatusOK,
}
