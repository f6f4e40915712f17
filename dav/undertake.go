package dav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/davd/davd/storage/tree"
)

// plan is what a COPY, MOVE or DELETE that was checked is to do.
type plan struct {
	about Operation
	// changes are what it needs to claim.
	changes []change
	// again makes the checks once more under the claim: what was checked may have
	// changed before.
	again func() error
	// work does it. What it returns is the answer.
	work func(ctx context.Context, c *claim, monitor *tree.Monitor) (status int, err error)
}

// undertake carries out what check plans, as an operation that goes on without its
// client. There is one operation for all requests that are identical
// (operationKey): one that arrives while it is under way joins it, one that arrives
// when its answer could not be delivered gets that (keptAnswer). So a client that
// gives up too soon and asks again does no harm, however often.
func (h *Handler) undertake(w http.ResponseWriter, r *http.Request, check func() (*plan, error)) (status int, err error) {
	async := preferredAsync(r)
	leave, err := h.enterOperation(r)
	if err != nil {
		return statusOf(err), err
	}
	lasting := false
	defer func() {
		if !lasting {
			leave()
		}
	}()
	key := h.operationKey(r)
	for {
		if status, err, done := h.repeat(w, r, &key, async); done {
			return status, err
		}
		p, c, err := h.prepare(r, key, check)
		if err == nil {
			lasting = true
			return h.perform(w, r, key, async, p, c, leave)
		}
		var identical *identicalError
		if !errors.As(err, &identical) {
			// What the first one has done may be why.
			if status, err, done := h.repeat(w, r, &key, async); done {
				return status, err
			}
			return statusOf(err), err
		}
		select {
		case <-identical.retry:
		case <-r.Context().Done():
			err := context.Cause(r.Context())
			return statusOf(err), err
		}
	}
}

// repeat answers r if it repeats what is under way, or what was not answered.
func (h *Handler) repeat(w http.ResponseWriter, r *http.Request, key *operationKey, async asyncPreference) (status int, err error, done bool) { //nolint:revive // as serveFunc, and one more
	if op := h.operations.join(key); op != nil {
		x := h.attend(w, r, op, async)
		defer x.e.stop()
		status, err = x.wait()
		return status, err, true
	}
	done, err = h.answerKept(w, r, key)
	return 0, err, done
}

// prepare checks, claims and checks again.
func (h *Handler) prepare(r *http.Request, key operationKey, check func() (*plan, error)) (*plan, *claim, error) {
	p, err := check()
	if err != nil {
		return nil, nil, err
	}
	c, err := h.confirmFor(r, key, p.changes)
	if err != nil {
		return nil, nil, err
	}
	if err := p.again(); err != nil {
		c.release()
		return nil, nil, err
	}
	return p, c, nil
}

// perform does what p says, which c allows, and answers. The claim is the
// operation's from now on: it is released at its end, wherever its client is then, and
// leave is called.
func (h *Handler) perform(w http.ResponseWriter, r *http.Request, key operationKey, async asyncPreference, p *plan, c *claim, leave func()) (status int, err error) {
	op := h.newOperation(context.WithoutCancel(r.Context()), r, p.about)
	op.key, op.claim, op.leave = key, c, leave
	c.about = func() Operation { return h.operations.look(op) }
	if err := h.operations.begin(h, op); err != nil {
		c.release()
		leave()
		return statusOf(err), err
	}
	h.shared().claims.wake()
	work := func() (int, error) {
		defer c.giveBack()
		return p.work(&op.context, c, op.monitor)
	}
	x := h.attend(w, r, op, async)
	defer x.e.stop()
	if x.async.given {
		go h.run(op, recovering(work)) //nolint:errcheck // who waits gets it
		return x.wait()
	}
	if h.CancelWhenGone {
		defer context.AfterFunc(r.Context(), x.leave)()
	}
	return x.answer(h.run(op, work))
}

// recovering is work whose panic is an error: it is not in the goroutine of a
// request, where net/http would see to it.
func recovering(work func() (int, error)) func() (int, error) {
	return func() (status int, err error) {
		defer func() {
			if v := recover(); v != nil {
				status, err = http.StatusInternalServerError, fmt.Errorf("%w: %v\n%s", errPanicked, v, debug.Stack())
			}
		}()
		return work()
	}
}
