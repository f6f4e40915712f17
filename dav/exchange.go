package dav

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// exchange is one request that waits for an operation: its response, and the
// emitter of that.
type exchange struct {
	*Handler
	op  *operation
	res *response
	e   *emitter
	// async: it may be answered before the operation has ended.
	async asyncPreference
	// away: it waits no more. mu of the operations guards it.
	away bool
}

// newExchange starts the emitter e for the answer to its request on w.
func (h *Handler) newExchange(w http.ResponseWriter, e *emitter, op *operation) *exchange {
	x := &exchange{Handler: h, op: op, res: newResponse(w, e.request), e: e}
	x.res.stall, x.res.answers = h.stallTimeout(), &h.answers
	e.res, e.monitor = x.res, op.monitor
	e.location = func() string { return h.location(op) }
	if e.start(e.request.Context()) && e.grant.asked {
		x.res.Header().Set("Preference-Applied", "processing") // RFC 7240 §3
	}
	return x
}

// respond sends the final response: status and err or, where status is 0, what was
// written before.
func (x *exchange) respond(status int, err error) error {
	x.e.stop()
	if status != 0 {
		x.respondResult(context.WithoutCancel(x.e.request.Context()), x.res, status, err)
	}
	return x.res.finish()
}

// settle ends the waiting after an answer, which has failed or not. Where the
// client has gone it has not got it either.
func (x *exchange) settle(failed error) {
	x.operations.settle(x, failed == nil && x.e.request.Context().Err() == nil)
}

// respondResult writes how an operation has ended.
func (h *Handler) respondResult(ctx context.Context, w http.ResponseWriter, status int, err error) {
	if err != nil {
		h.respondError(ctx, w, status, err)
	} else {
		w.WriteHeader(status)
	}
}

// attend lets r, which prefers async, wait for op, which counts it already.
func (h *Handler) attend(w http.ResponseWriter, r *http.Request, op *operation, async asyncPreference) *exchange {
	x := h.newExchange(w, h.newEmitter(r, op.Source), op)
	x.async = async
	return x
}

// leave ends the waiting because the client has gone. Where an operation ends with
// its clients, it ends with the last of them.
func (x *exchange) leave() {
	if alone := x.operations.leave(x); alone && x.CancelWhenGone {
		x.op.context.cancel(context.Canceled)
	}
}

// wait answers when the operation has ended, or when the client has waited as long
// as it wanted to.
func (x *exchange) wait() (status int, err error) {
	var enough <-chan time.Time
	if x.async.given {
		timer := time.NewTimer(x.async.left())
		defer timer.Stop()
		enough = timer.C
	}
	client := x.e.request.Context()
	select {
	case <-x.operations.ended(x.op):
		return x.answer(x.op.status, x.op.err)
	case <-enough:
		return x.accept()
	case <-client.Done():
		x.leave()
		err := context.Cause(client)
		return 0, errors.Join(err, x.respond(statusOf(err), err))
	}
}

// answer answers with the end of the operation.
func (x *exchange) answer(status int, err error) (int, error) {
	failed := x.respond(status, err)
	x.settle(failed)
	return 0, errors.Join(err, failed)
}
