package operation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
)

// Undertake begins the Task that prepare returns, as an operation that continues even if
// the client disconnects. Identical requests share one operation: a request that arrives
// while it is running joins it, and a later one gets its answer if that could not be
// delivered (keptAnswer). So a client may give up and repeat its request at any time.
//
// leave is called once, when neither the request nor an operation that it has begun needs
// its place any more.
func (s *Registry) Undertake(w http.ResponseWriter, r Request, leave func(), prepare func() (Task, error)) error {
	async := asyncOf(&r.Preferences)
	lasting := false
	defer func() {
		if !lasting {
			leave()
		}
	}()
	for {
		if err, done := s.repeat(w, r, async); done {
			return err
		}
		task, err := prepare()
		if err == nil {
			lasting = true
			return s.perform(w, r, async, task, leave)
		}
		identical, ok := errors.AsType[*identicalError](err)
		if !ok {
			// An identical request may have caused the error by its success.
			if err, done := s.repeat(w, r, async); done {
				return err
			}
			return err
		}
		select {
		case <-identical.retry:
		case <-r.Context().Done():
			return context.Cause(r.Context())
		}
	}
}

// repeat answers r if an identical request is running, or its answer was not delivered.
func (s *Registry) repeat(w http.ResponseWriter, r Request, async asyncPreference) (err error, done bool) { //nolint:revive // the error is the result; done says whether there is one
	if op := s.join(&r.Key); op != nil {
		x := s.attend(w, r.Request, op, async)
		defer x.emitter.Stop()
		return x.wait(), true
	}
	done, err = s.answerKept(w, r)
	return status.Logged(err), done
}

// perform carries out task and answers. The operation now owns the claim and leave: it
// releases the claim and calls leave when it ends, even if the client has disconnected.
func (s *Registry) perform(w http.ResponseWriter, r Request, async asyncPreference, task Task, leave func()) error {
	source, destination := task.Resources()
	op := newOperation(context.WithoutCancel(r.Context()), r, source, destination, task.Monitor(), task.Success())
	op.hold, op.leave = task.Hold(), leave
	if err := s.begin(op); err != nil {
		s.server.Claims().Release(op.hold)
		op.cancel(nil)
		leave()
		return err
	}
	s.server.Claims().wake()
	work := func() error { return task.Do(op.ctx, func() Operation { return s.look(op) }) }
	x := s.attend(w, r.Request, op, async)
	defer x.emitter.Stop()
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
	err = work()
	cause := context.Cause(op.ctx)
	switch {
	case !errors.Is(err, context.Canceled), !errors.Is(cause, status.ErrShutdown) && !errors.Is(cause, errStopped):
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
