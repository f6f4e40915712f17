package dav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/tree"
)

// plan is a COPY, MOVE or DELETE after its checks.
type plan struct {
	about Operation
	// changes are the changes to claim.
	changes []change
	// again repeats the checks under the claim, because their results may have changed.
	again func() error
	// success is the status of the answer unless work fails.
	success int
	work    func(ctx context.Context, c *claim, monitor *tree.Monitor) error
}

// undertake carries out the plan from check as an operation that continues even if the
// client disconnects. Identical requests (operationKey) share one operation: a request
// that arrives while it is running joins it, and a later one gets its answer if that
// could not be delivered (keptAnswer). So a client may give up and repeat its request at
// any time.
func (h *Handler) undertake(w http.ResponseWriter, r *request, check func() (*plan, error)) error {
	async := asyncOf(r.preferences())
	leave, err := h.enterOperation(r)
	if err != nil {
		return err
	}
	lasting := false
	defer func() {
		if !lasting {
			leave()
		}
	}()
	key := h.operationKey(r)
	for {
		if err, done := h.repeat(w, r, &key, async); done {
			return err
		}
		p, c, err := h.prepare(r, key, check)
		if err == nil {
			lasting = true
			return h.perform(w, r, key, async, p, c, leave)
		}
		var identical *identicalError
		if !errors.As(err, &identical) {
			// An identical request may have caused the error by its success.
			if err, done := h.repeat(w, r, &key, async); done {
				return err
			}
			return err
		}
		select {
		case <-identical.retry:
		case <-r.Context().Done():
			err := context.Cause(r.Context())
			return err
		}
	}
}

// repeat answers r if an identical request is running, or its answer was not delivered.
func (h *Handler) repeat(w http.ResponseWriter, r *request, key *operationKey, async asyncPreference) (err error, done bool) { //nolint:revive // the error is the result; done says whether there is one
	if op := h.operations.join(key); op != nil {
		x := h.attend(w, r, op, async)
		defer x.e.Stop()
		return x.wait(), true
	}
	done, err = h.answerKept(w, r, key)
	return status.Logged(err), done
}

// prepare checks the request, claims what it changes, and checks again.
func (h *Handler) prepare(r *request, key operationKey, check func() (*plan, error)) (*plan, *claim, error) {
	p, err := check()
	if err != nil {
		return nil, nil, err
	}
	c, err := h.confirmFor(r, key, p.changes)
	if err != nil {
		return nil, nil, err
	}
	c.client = h.client(r)
	if err := p.again(); err != nil {
		c.release()
		return nil, nil, err
	}
	return p, c, nil
}

// perform carries out p under the claim c and answers. The operation now owns the claim
// and leave: it releases the claim and calls leave when it ends, even if the client has
// disconnected.
func (h *Handler) perform(w http.ResponseWriter, r *request, key operationKey, async asyncPreference, p *plan, c *claim, leave func()) error {
	op := h.newOperation(context.WithoutCancel(r.Context()), r, p.about)
	op.key, op.claim, op.leave, op.success = key, c, leave, p.success
	c.about = func() Operation { return h.operations.look(op) }
	if err := h.operations.begin(h, op); err != nil {
		c.release()
		leave()
		return err
	}
	h.shared().claims.wake()
	work := func() error {
		defer c.giveBack()
		return p.work(&op.context, c, op.monitor)
	}
	x := h.attend(w, r, op, async)
	defer x.e.Stop()
	if x.async.given {
		go h.run(op, recovering(work)) //nolint:errcheck // the waiting requests get it
		return x.wait()
	}
	if h.CancelWhenGone {
		defer context.AfterFunc(r.Context(), x.leave)()
	}
	return x.answer(h.run(op, work))
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
