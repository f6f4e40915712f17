package dav

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/davd/davd/storage/tree"
)

// Operation is a COPY, MOVE, DELETE or PROPFIND that is under way.
type Operation struct {
	// Method is the request's.
	Method string
	// Source is the storage name of the request URI, Destination that of the
	// header Destination, or "".
	Source, Destination string
	// Started is when its walk began.
	Started time.Time
	// Progress is how far it was when [Handler.Operations] was called.
	Progress tree.Progress
}

// operation is an Operation while it runs.
type operation struct {
	Operation
	context operationContext
	monitor *tree.Monitor
	// ended is closed at the end, if somebody waits for that; mu of the Handler
	// guards it.
	ended chan struct{}
}

// Operations returns the operations that are under way, the oldest first.
func (h *Handler) Operations() []Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]Operation, 0, len(h.operations))
	for op := range h.operations {
		snapshot := op.Operation
		snapshot.Progress = op.monitor.Snapshot()
		list = append(list, snapshot)
	}
	slices.SortFunc(list, func(a, b Operation) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Source, b.Source))
	})
	return list
}

// Shutdown refuses new operations and waits until none is under way. When ctx
// ends first, it stops those that are left with the cause [ErrShutdown], waits
// until each has rolled back what it can, and returns ctx's error. Their
// answer is 503 (Service Unavailable).
//
// It does not touch other requests: http.Server.Shutdown waits for those.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	h.stopping = true
	running := make([]*operation, 0, len(h.operations))
	for op := range h.operations {
		if op.ended == nil {
			op.ended = make(chan struct{})
		}
		running = append(running, op)
	}
	h.mu.Unlock()
	for _, op := range running {
		select {
		case <-op.ended:
		case <-ctx.Done():
			for _, left := range running {
				left.context.cancel(ErrShutdown)
			}
			<-op.ended
		}
	}
	return ctx.Err()
}

// begin lists op, unless the Handler is stopping.
func (h *Handler) begin(op *operation) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return ErrShutdown
	}
	if h.operations == nil {
		h.operations = make(map[*operation]struct{})
	}
	h.operations[op] = struct{}{}
	return nil
}

func (h *Handler) end(op *operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.operations, op)
	if op.ended != nil {
		close(op.ended)
	}
}

// workFunc is what an operation does. Content that it writes to w before it
// returns is streamed; otherwise status and err become the response.
type workFunc func(ctx context.Context, w *response, monitor *tree.Monitor) (status int, err error)

// operate runs work as an operation: listed, counted, with interim responses,
// and with a context that ends with the client's connection only if untilGone, or
// if CancelWhenGone says so of all.
func (h *Handler) operate(w http.ResponseWriter, r *http.Request, about Operation, untilGone bool, work workFunc) (status int, err error) {
	e := &emitter{
		request: r, config: &h.Interim,
		root: about.Source, success: memberSuccess[r.Method], url: h.absoluteURL(r),
	}
	if e.undecided = !prefers(r, "processing"); !e.undecided {
		e.grant = h.Interim.grant(r)
	}
	return h.operateWith(e, w, about, untilGone, work)
}

// operateWith is operate with an emitter that has its request and its config.
func (h *Handler) operateWith(e *emitter, w http.ResponseWriter, about Operation, untilGone bool, work workFunc) (status int, err error) {
	r := e.request
	parent := r.Context()
	if !untilGone && !h.CancelWhenGone {
		parent = context.WithoutCancel(parent)
	}
	about.Method, about.Started = r.Method, time.Now()
	op := &operation{
		Operation: about,
		context:   operationContext{Context: parent},
		monitor:   tree.NewMonitor(e.grant.asked && e.grant.limit > 0),
	}
	defer op.context.end()
	if err := h.begin(op); err != nil {
		return statusOf(err), err
	}
	res := newResponse(w, r)
	e.res, e.monitor = res, op.monitor
	status, err = h.work(r.Context(), op, e, work)
	if status != 0 && err != nil {
		h.respondError(&op.context, res, status, err)
	} else if status != 0 {
		res.WriteHeader(status)
	}
	return 0, errors.Join(err, res.finish())
}

// work runs work between the start of the emitter and its end.
func (h *Handler) work(client context.Context, op *operation, e *emitter, work workFunc) (status int, err error) {
	defer h.end(op)
	e.start(client)
	defer e.stop()
	status, err = work(&op.context, e.res, op.monitor)
	if err != nil && errors.Is(err, context.Canceled) && errors.Is(context.Cause(&op.context), ErrShutdown) {
		err = ErrShutdown
		if status != 0 {
			status = statusOf(err)
		}
	}
	return status, err
}

// memberSuccess is the status of a member that did not fail, for Status-URI.
var memberSuccess = map[string]int{
	"COPY":     http.StatusCreated,
	"MOVE":     http.StatusCreated,
	"DELETE":   http.StatusNoContent,
	"PROPFIND": http.StatusOK,
}
