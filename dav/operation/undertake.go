package operation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/cluster"
)

// Undertake begins the Task that prepare returns, as an operation that continues even if
// the client disconnects. Identical requests share one operation: a request that arrives
// while it is running joins it, and a later one gets its answer if that could not be
// delivered (keptAnswer). So a client may give up and repeat its request at any time.
//
// leave is called once, when neither the request nor an operation that it has begun needs
// its place any more.
//
// prepare claims the names. Its argument is the operation as other servers will see it, to which
// it adds the names and the status; nil without other servers.
func (s *Registry) Undertake(w http.ResponseWriter, r Request, leave func(), prepare func(*cluster.Operation) (Task, error)) error {
	u := &undertaking{Registry: s, w: w, r: r, leave: leave, async: asyncOf(&r.Preferences), announced: s.announce(r.Context(), &r)}
	defer func() {
		if u.leave != nil {
			u.leave()
		}
		if u.x != nil {
			u.x.emitter.Stop()
		}
	}()
	for {
		if err, done := u.repeat(); done {
			return err
		}
		task, err := prepare(u.announced)
		if err == nil {
			return u.perform(task)
		}
		if running, ok := errors.AsType[*cluster.RunningError](err); ok {
			if err, done := u.joinFar(running.ID); done {
				return err
			}
			continue
		}
		identical, ok := errors.AsType[*identicalError](err)
		if !ok {
			// An identical request may have caused the error by its success.
			if err, done := u.repeat(); done {
				return err
			}
			return u.refuse(err)
		}
		select {
		case <-identical.retry:
		case <-r.Context().Done():
			return u.refuse(context.Cause(r.Context()))
		}
	}
}

// undertaking is a request that begins or joins an operation.
type undertaking struct {
	*Registry

	w         http.ResponseWriter
	r         Request
	async     asyncPreference
	announced *cluster.Operation
	// leave is nil when an operation has taken it.
	leave func()
	// x is not nil if the request has waited for an operation on another server, which has done
	// nothing.
	x *Exchange
}

// repeat answers the request if an identical one is running, or its answer was not delivered.
func (u *undertaking) repeat() (err error, done bool) { //nolint:revive // the error is the result; done says whether there is one
	if op := u.join(&u.r.Key); op != nil {
		if u.runs(op) {
			return u.await(op)
		}
		u.part(op)
	}
	if u.announced != nil {
		return u.repeatFar()
	}
	done, err = u.answerKept(u.w, u.r)
	return status.Logged(err), done
}

// await answers when op ends. done is false if op has done nothing.
func (u *undertaking) await(op *operation) (err error, done bool) { //nolint:revive // as in repeat
	u.attend(op)
	if err := u.x.wait(); !errors.Is(err, errAgain) {
		return err, true
	}
	u.x.settle(errAgain)
	if u.announced != nil {
		u.announced.Arrived = time.Now() // the end of op doesn't matter any more
	}
	return nil, false
}

// attend makes the request wait for op, which already counts it as waiting.
func (u *undertaking) attend(op *operation) {
	if u.x != nil {
		u.x.rebind(op)
		return
	}
	u.x = u.newExchange(u.w, u.server.Emission(u.r.Request, op.Method, op.Source), op, u.async)
}

// refuse returns err, or answers with it if interim responses may have gone out.
func (u *undertaking) refuse(err error) error {
	if u.x == nil {
		return err
	}
	return status.Logged(errors.Join(err, u.x.respond(err)))
}

// perform carries out task and answers. The operation now owns the claim and leave: it
// releases the claim and calls leave when it ends, even if the client has disconnected.
func (u *undertaking) perform(task Task) error {
	s, r := u.Registry, u.r
	source, destination := task.Resources()
	op := newOperation(context.WithoutCancel(r.Context()), r, source, destination, task.Monitor(), task.Success())
	op.hold, op.leave = task.Hold(), u.leave
	if u.announced != nil {
		op.id, op.Started, op.recording = u.announced.Record.ID, u.announced.Record.Started, recorded
	}
	if err := s.begin(op); err != nil {
		if op.shared() {
			err = op.hold.End(err, nil)
		}
		s.server.Claims().Release(op.hold)
		op.cancel(nil)
		return u.refuse(err)
	}
	u.leave = nil
	s.server.Claims().wake()
	work := func() error { return task.Do(op.ctx, func() Operation { return s.look(op) }) }
	u.attend(op)
	x := u.x
	if x.async.given {
		go s.run(op, recovering(work)) //nolint:errcheck // the waiting requests get it
		return x.wait()
	}
	if s.server.CancelsWhenGone() {
		defer context.AfterFunc(r.Context(), x.leave)()
	}
	return x.answer(s.run(op, work))
}

// answerKept answers with the answer that is kept for key. It reports whether there was
// one.
func (s *Registry) answerKept(w http.ResponseWriter, r Request) (bool, error) {
	claims := s.server.Claims()
	a := claims.take(&r.Key)
	if a == nil {
		return false, nil
	}
	// The check must not fail only because the client disconnects now.
	ctx := context.WithoutCancel(r.Context())
	if a.status != http.StatusMultiStatus && !s.server.Agrees(ctx, a.key.Method, a.source, a.destination) {
		claims.drop(a)
		return false, nil
	}
	res := s.server.Response(w, r.Request)
	s.respondResult(ctx, res, a.status, a.err)
	err := res.Finish()
	claims.delivered(a, err == nil && r.Context().Err() == nil)
	return true, errors.Join(a.err, err)
}

// errPanicked is the result of an operation whose work panicked.
var errPanicked = errors.New("the operation panicked")

// run does the work of op and ends op. It returns the error for the answer. If no client
// waits for that, it reports the result to the Server.
func (s *Registry) run(op *operation, work func() error) (err error) {
	err = errPanicked
	defer op.cancel(nil)
	defer func() {
		if errors.Is(err, errPanicked) && op.shared() {
			_ = op.hold.End(err, nil)
		}
		if op.leave != nil {
			op.leave()
		}
		unanswered := s.end(op, err)
		if ended := s.server.OnEnd(); ended != nil {
			ended(s.look(op))
		}
		if unanswered {
			s.server.Log(s.look(op), err)
		}
	}()
	err = s.settle(op, op.explained(work()))
	return err
}

// explained returns err, or why the operation was canceled.
func (op *operation) explained(err error) error {
	cause := context.Cause(op.ctx)
	known := errors.Is(cause, status.ErrShutdown) || errors.Is(cause, errStopped) || errors.Is(cause, cluster.ErrFenced)
	switch {
	case !errors.Is(err, context.Canceled), !known:
		return err
	case status.Answered(err):
		return status.Logged(cause)
	}
	return cause
}

// recovering returns work with panics turned into errors. Outside the goroutine of a
// request, net/http does not recover them.
func recovering(work func() error) func() error {
	return func() (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("%w: %v\n%s", errPanicked, v, debug.Stack())
			}
		}()
		return work()
	}
}

// Follow runs do as an operation that changes nothing, such as a PROPFIND. It is listed and
// sends the interim responses that emission describes, and its context ends with the
// client's connection. do writes the response, whose status is success, unless it returns
// an error for the client.
func (s *Registry) Follow(w http.ResponseWriter, r Request, emission interim.Emission, what Listing, do func(context.Context, *Exchange) error) error {
	op := newOperation(r.Context(), r, what.Source, what.Destination, what.Watch, what.Status)
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
