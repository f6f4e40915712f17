package operation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/davd/davd/dav/internal/status"
)

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

// Undertake begins the Task that prepare returns, as an operation that continues even if
// the client disconnects. Identical requests share one operation: a request that arrives
// while it is running joins it, and a later one gets its answer if that could not be
// delivered (keptAnswer). So a client may give up and repeat its request at any time.
//
// leave is called once, when neither the request nor an operation that it has begun needs
// its place any more.
func (s *Registry) Undertake(w http.ResponseWriter, r Request, leave func(), prepare func() (Task, error)) error {
	async := asyncOf(r.Preferences)
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
		var identical *identicalError
		if !errors.As(err, &identical) {
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
	op := newOperation(context.WithoutCancel(r.Context()), r, task)
	op.leave = leave
	if err := s.begin(op); err != nil {
		s.server.Claims().Release(task.Hold())
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
