package dav

import (
	"sync"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/tenant"
	"github.com/davd/davd/dav/operation"
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

// release releases the claim. It may be called more than once.
func (c *claim) release() {
	if c.claims != nil {
		c.claims.Release(c.hold)
	}
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
// key is that of an operation, or zero. If an identical request holds the claim, the error is
// for operation.Registry.Undertake.
func (r *request) confirm(key operation.Key, changes ...locktable.Change) (*claim, error) {
	header, err := r.conditionsIf()
	if err != nil {
		return nil, err
	}
	scopes := make([]operation.Scope, len(changes))
	for i, c := range changes {
		scopes[i] = operation.Scope{Name: c.Key, Tree: c.Tree}
	}
	held := &operation.Hold{Scopes: scopes, Key: key, Tenant: tenant.Prefix(r.Context())}
	if err := r.h.shared().claims.AcquireHold(r.Context(), held); err != nil {
		return nil, err
	}
	used, err := r.permit(header, changes)
	if err != nil {
		r.h.shared().claims.Release(held)
		return nil, err
	}
	return &claim{locks: r.h.locks(), used: used, claims: &r.h.shared().claims, hold: held}, nil
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
