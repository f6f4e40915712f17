package dav

import (
	"sync"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
)

// claim is the right of a request to make the changes that it passed to confirm. Once a
// COPY, MOVE or DELETE has begun, the claim belongs to the operation.
type claim struct {
	locks *locktable.Table
	used  []locktable.Used
	// hold is what the claim holds of claims. Both are nil if no other request can compete
	// for the resources.
	claims *operation.Claims
	hold   *operation.Hold
	// shared is the claim against other nodes; nil without any.
	shared *sharedClaim
	// client is who the claim is for, as Handler.client returns it.
	client string
	// about describes the operation that has the claim; it is nil without one.
	about func() operation.Operation
	// secured releases the room that follower.Prepare has reserved; it is nil without any.
	secured func()
	// entry is the id of the operation in the journal. It is in entries while the operation
	// runs; entries is nil without one.
	entry   string
	entries *sync.Map
}

// release releases the claim. It may be called more than once. end must come before.
func (c *claim) release() {
	c.shared.abandon()
	if c.claims != nil {
		c.claims.Release(c.hold)
	}
}

// end ends the claim against other nodes, after the change has ended with err. It returns the error
// for the answer.
func (c *claim) end(err error) error { return c.shared.end(err, nil) }

// endUnused is end for an operation that has not begun, because of err.
func (c *claim) endUnused(err error, announced *cluster.Operation) error {
	if announced == nil {
		return c.end(err)
	}
	r := announced.Record
	r.State, r.Ended, r.Status, r.Reason = history.Finished, r.Started, status.Of(err), status.Reason(err)
	return c.shared.end(err, &cluster.Result{Record: r})
}

// giveBack ends what follower.Prepare has begun.
func (c *claim) giveBack() {
	if c.entries != nil {
		c.entries.Delete(c.entry)
	}
	if c.secured != nil {
		c.secured()
	}
}

// confirm makes sure that the request may make the changes: that the header If holds,
// that no other request is changing the same resources, and that the client submitted
// the tokens of the locks that protect them (RFC 4918 §7). Until the claim is released,
// no other request can lock or change the resources.
//
// If an identical request holds the claim, the error is for operation.Registry.Undertake.
func (r *request) confirm(i intent, changes ...locktable.Change) (*claim, error) {
	header, err := r.conditionsIf()
	if err != nil {
		return nil, err
	}
	scopes := make([]operation.Scope, len(changes))
	for i, c := range changes {
		scopes[i] = operation.Scope{Name: c.Key, Tree: c.Tree}
	}
	c, err := r.claimNames(i, scopes...)
	if err != nil {
		return nil, err
	}
	if c.used, err = r.permit(header, changes); err != nil {
		err = c.endUnused(err, i.announced)
		c.release()
		return nil, err
	}
	return c, nil
}

// intent is what a request is about to do with its claim.
type intent struct {
	// key is that of an operation; zero without one.
	key operation.Key
	// announced is how other nodes will see the operation; nil without one.
	announced *cluster.Operation
	// brief says that the request changes only names that Handler.transacts is about.
	brief bool
	// late is that of cluster.Work.
	late bool
}

// claimNames claims scopes in this process, and then against other nodes. After that, the context
// of r may have the transaction in which the change must be made.
func (r *request) claimNames(i intent, scopes ...operation.Scope) (*claim, error) {
	held := &operation.Hold{Scopes: scopes, Key: i.key, Tenant: tenant.Prefix(r.Context())}
	if err := r.h.shared().claims.AcquireHold(r.Context(), held); err != nil {
		return nil, err
	}
	shared, err := r.claimShared(scopes, i)
	if err != nil {
		r.h.shared().claims.Release(held)
		return nil, err
	}
	if shared != nil {
		held.End = shared.end
	}
	return &claim{locks: r.h.locks(), claims: &r.h.shared().claims, hold: held, shared: shared}, nil
}

// permit evaluates the header If and checks the locks.
func (r *request) permit(header field.If, changes []locktable.Change) ([]locktable.Used, error) {
	if header != nil {
		places := make([]place.Place, len(changes))
		for i, c := range changes {
			places[i] = c.Place
		}
		if err := r.evaluateIf(header, places...); err != nil {
			return nil, err
		}
	}
	return r.h.locks().Permit(r.Context(), submittedBy(r, header), changes)
}

// submittedBy returns the lock tokens in the header If of r.
func submittedBy(r *request, header field.If) locktable.Submitted {
	return locktable.Submitted{Tokens: header.Tokens(), Principal: r.principal()}
}
