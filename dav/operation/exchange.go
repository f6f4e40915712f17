package operation

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/status"
)

// Exchange is one request that waits for an operation, with its response and the
// Emitter of that response.
type Exchange struct {
	Response *interim.Response

	registry *Registry
	op       *operation
	r        *http.Request
	emitter  *interim.Emitter
	// async: the request may be answered before the operation ends.
	async asyncPreference
	// away: the request no longer waits. The Registry's mu guards it.
	away bool
	// monitor is that of op; nil without other servers.
	monitor *switching
}

// current returns the operation. Another goroutine than that of the request needs it.
func (x *Exchange) current() *operation {
	x.registry.mu.Lock()
	defer x.registry.mu.Unlock()
	return x.op
}

// rebind makes x wait for op, which already counts it as waiting.
func (x *Exchange) rebind(op *operation) {
	x.monitor.follow(op.monitor)
	x.registry.mu.Lock()
	defer x.registry.mu.Unlock()
	x.op, x.away = op, false
}

// newExchange makes r wait for op, which already counts it as waiting. about says what the
// Emitter reports.
func (s *Registry) newExchange(w http.ResponseWriter, about interim.Emission, op *operation, async asyncPreference) *Exchange {
	res := s.server.Response(w, about.Request)
	about.Monitor = op.monitor
	about.Location = func() string { return s.location(op) }
	x := &Exchange{registry: s, op: op, r: about.Request, Response: res, async: async}
	if s.server.Peers() != nil {
		x.monitor = &switching{now: op.monitor}
		about.Monitor, about.Location = x.monitor, func() string { return s.location(x.current()) }
	}
	x.emitter = res.Start(about)
	if x.emitter.Promised() {
		res.Header().Set("Preference-Applied", "processing") // RFC 7240 §3
	}
	return x
}

// Quiet ends the interim responses. It returns how many were sent.
func (x *Exchange) Quiet() int {
	x.emitter.Stop()
	return x.emitter.Sent()
}

// Answered takes note that the response has another status than expected.
func (x *Exchange) Answered(status int) {
	x.registry.mu.Lock()
	defer x.registry.mu.Unlock()
	x.op.success = status
}

// respond finishes the response to an operation that ended with err.
func (x *Exchange) respond(err error) error {
	x.emitter.Stop()
	if id := x.registry.idOf(x.op); id != "" {
		x.registry.server.Waited(x.r, id)
	}
	if x.async.given {
		// A client that asked for no interim responses learns how much was done.
		x.Response.Header().Set("Progress", x.op.monitor.Snapshot().Field())
	}
	x.registry.respondResult(context.WithoutCancel(x.r.Context()), x.Response, x.op.success, err)
	return x.Response.Finish()
}

// settle ends the wait after the answer. The operation counts as answered if failed is
// nil and the client is still connected.
func (x *Exchange) settle(failed error) {
	delivered := failed == nil && x.r.Context().Err() == nil
	s, op := x.registry, x.op
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case x.away:
	case op.state != running:
		s.server.Claims().delivered(op.answer, delivered)
		s.deliveredFar(op, delivered)
	default:
		op.waiting--
		if delivered {
			op.promise = promiseDelivered
		}
	}
	x.away = true
}

// respondResult writes the result of an operation: err, or the status success if the
// operation did not fail. If the operation has written a response, only err replaces it.
func (s *Registry) respondResult(ctx context.Context, w http.ResponseWriter, success int, err error) {
	if status.Answered(err) {
		w.WriteHeader(success)
	} else {
		s.server.Respond(ctx, w, err)
	}
}

// leave ends the wait because the client has gone.
func (x *Exchange) leave() {
	s, op := x.registry, x.op
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.away || op.state != running {
		return
	}
	x.away = true
	if op.waiting--; op.waiting == 0 && op.far == nil && op.promise == promisedNothing && s.server.CancelsWhenGone() {
		op.cancel(context.Canceled)
	}
}

// wait answers when the operation ends, or when the time is over that the client was
// willing to wait.
func (x *Exchange) wait() error {
	var enough <-chan time.Time
	if x.async.given {
		timer := time.NewTimer(x.async.left())
		defer timer.Stop()
		enough = timer.C
	}
	client := x.r.Context()
	select {
	case <-x.op.done:
		if errors.Is(x.op.err, errAgain) {
			return errAgain
		}
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
func (x *Exchange) answer(err error) error {
	failed := x.respond(err)
	x.settle(failed)
	return status.Logged(errors.Join(err, failed))
}

// detach lets the operation continue even if no client waits for it. It reports false if
// the operation has ended.
func (x *Exchange) detach() bool {
	x.registry.mu.Lock()
	defer x.registry.mu.Unlock()
	if x.op.state != running {
		return false
	}
	x.op.promise = max(x.op.promise, promisedContinuation)
	return true
}

// accept answers 202 (RFC 9110 §15.3.3) while the operation goes on.
func (x *Exchange) accept() error {
	s := x.registry
	if !x.detach() { // it has ended just now
		if errors.Is(x.op.err, errAgain) {
			return errAgain
		}
		return x.answer(x.op.err)
	}
	x.emitter.StopBefore(interim.AcceptedBefore)
	// From now on the client knows the operation only by its address, so the record must
	// survive a crash.
	if err := s.recorder.save([]*operation{x.op}); err != nil {
		s.server.Log(s.look(x.op), err)
	}
	header, location := x.Response.Header(), s.location(x.op)
	header.Set("Location", location)
	header.Set("Content-Location", location) // the content is the status document (RFC 9110 §8.7)
	applied := x.async.applied
	if processing := header.Get("Preference-Applied"); processing != "" {
		applied = processing + ", " + applied
	}
	header.Set("Preference-Applied", applied)
	err := browser.WriteJSON(x.Response, http.StatusAccepted, newStatus(s.shownTo(x.op.ctx, s.view(x.op)), s.hrefIn(x.op.ctx)))
	if err == nil {
		err = x.respond(nil)
	}
	x.settle(err)
	return status.Logged(err)
}
