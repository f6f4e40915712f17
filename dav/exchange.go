package dav

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
)

// exchange is one request that waits for an operation, with its response and the
// Emitter of that response.
type exchange struct {
	*Handler
	op  *operation
	r   *http.Request
	res *interim.Response
	e   *interim.Emitter
	// async: the request may be answered before the operation ends.
	async asyncPreference
	// away: the request no longer waits. mu of operations guards it.
	away bool
}

// newExchange starts an Emitter of what about says for op. It writes to w.
func (h *Handler) newExchange(w http.ResponseWriter, about interim.Emission, op *operation, async asyncPreference) *exchange {
	res := h.newResponse(w, about.Request)
	about.Monitor = treeMonitor{op.monitor}
	about.Location = func() string { return h.location(op) }
	x := &exchange{Handler: h, op: op, r: about.Request, res: res, e: res.Start(about), async: async}
	if x.e.Promised() {
		res.Header().Set("Preference-Applied", "processing") // RFC 7240 §3
	}
	return x
}

// newResponse returns the response of a request with an operation.
func (h *Handler) newResponse(w http.ResponseWriter, r *http.Request) *interim.Response {
	return interim.NewResponse(w, r, h.stallTimeout(), &h.answers)
}

// respond finishes the response to an operation that ended with err.
func (x *exchange) respond(err error) error {
	x.e.Stop()
	x.respondResult(context.WithoutCancel(x.r.Context()), x.res, x.op.success, err)
	return x.res.Finish()
}

// settle ends the wait after the answer. The operation counts as answered if failed is
// nil and the client is still connected.
func (x *exchange) settle(failed error) {
	x.operations.settle(x, failed == nil && x.r.Context().Err() == nil)
}

// respondResult writes the result of an operation: err, or the status success if the
// operation did not fail. If the operation has written a response, only err replaces it.
func (h *Handler) respondResult(ctx context.Context, w http.ResponseWriter, success int, err error) {
	if status.Answered(err) {
		w.WriteHeader(success)
	} else {
		h.respondError(ctx, w, err)
	}
}

// attend makes r wait for op, which already counts it as waiting. async is r's
// preference.
func (h *Handler) attend(w http.ResponseWriter, r *request, op *operation, async asyncPreference) *exchange {
	return h.newExchange(w, h.emission(r.Request, op.Method, op.Source), op, async)
}

// leave ends the wait because the client has gone. With CancelWhenGone, an operation
// stops when its last client leaves.
func (x *exchange) leave() {
	if alone := x.operations.leave(x); alone && x.CancelWhenGone {
		x.op.context.cancel(context.Canceled)
	}
}

// wait answers when the operation ends, or when the time is over that the client was
// willing to wait.
func (x *exchange) wait() error {
	var enough <-chan time.Time
	if x.async.given {
		timer := time.NewTimer(x.async.left())
		defer timer.Stop()
		enough = timer.C
	}
	client := x.r.Context()
	select {
	case <-x.operations.ended(x.op):
		return x.answer(x.op.err)
	case <-enough:
		return x.accept()
	case <-client.Done():
		x.leave()
		err := context.Cause(client)
		return status.Logged(errors.Join(err, x.respond(err)))
	}
}

// answer answers with the result of the operation.
func (x *exchange) answer(err error) error {
	failed := x.respond(err)
	x.settle(failed)
	return status.Logged(errors.Join(err, failed))
}
