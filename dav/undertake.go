package dav

import (
	"context"
	"net/http"

	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/tree"
)

// plan is a COPY, MOVE or DELETE after its checks.
type plan interface {
	// resources returns the names of the source and the destination, or "", as the client
	// sent them.
	resources() (source, destination string)
	// changes returns the changes to claim.
	changes() []locktable.Change
	// recheck repeats the checks under the claim, because their results may have changed.
	recheck() error
	// success is the status of the answer unless do fails.
	success() int
	// do does the work.
	do(ctx context.Context, c *claim, monitor *tree.Monitor) error
}

// undertake carries out the plan that check returns as an operation that continues even
// if the client disconnects.
func (h *Handler) undertake(w http.ResponseWriter, r *request, check func() (plan, error)) error {
	leave, err := h.enterOperation(r)
	if err != nil {
		return err
	}
	req := h.operationRequest(r, h.operationKey(r))
	return h.registry().Undertake(w, req, leave, func() (operation.Task, error) {
		p, err := check()
		if err != nil {
			return nil, err
		}
		c, err := h.confirmFor(r, req.Key, p.changes())
		if err != nil {
			return nil, err
		}
		if err := p.recheck(); err != nil {
			c.release()
			return nil, err
		}
		c.client = h.client(r)
		return &task{plan: p, claim: c, monitor: new(tree.Monitor)}, nil
	})
}

// operationRequest returns r as the Registry sees it.
func (h *Handler) operationRequest(r *request, key operation.Key) operation.Request {
	req := operation.Request{Request: r.Request, Key: key, Preferences: r.preferences(), Principal: r.principal()}
	// Invalid headers are refused elsewhere.
	req.Depth, _, _ = r.depthField().InListing(r.Method)
	req.Overwrite, _ = r.overwrite()
	return req
}

// task is a plan with the claim for its changes.
type task struct {
	plan
	claim   *claim
	monitor *tree.Monitor
}

// Resources implements operation.Task, like the methods below.
func (t *task) Resources() (source, destination string) { return t.resources() }

func (t *task) Hold() *operation.Hold { return t.claim.hold }

func (t *task) Monitor() operation.Monitor { return treeMonitor{t.monitor} }

func (t *task) Success() int { return t.success() }

func (t *task) Do(ctx context.Context, snapshot func() operation.Operation) error {
	defer t.claim.giveBack()
	t.claim.about = snapshot
	return t.do(ctx, t.claim, t.monitor)
}
