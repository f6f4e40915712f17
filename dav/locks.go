package dav

import (
	"net/http"
)

// change is what a request is about to change.
type change struct {
	place
	// tree: all that is below it too.
	tree bool
	// member: it becomes a member of its collection or ceases to be one.
	member bool
}

// claim is the right of a request to change what it named to confirm. That of a
// COPY, MOVE or DELETE belongs to the operation once that has begun.
type claim struct {
	locks *lockTable
	used  []usedToken
	// hold is what is claimed of claims; both are nil where nobody else can want
	// anything.
	claims *claims
	hold   *hold
	// about describes the operation that has the claim; nil where none has.
	about func() Operation
	// secured gives back the room that was set aside; nil: none was.
	secured func()
}

// release gives the right back. It may be called more than once.
func (c *claim) release() {
	if c.claims != nil {
		c.claims.release(c.hold)
	}
}

// giveBack ends what follower.secure has set aside.
func (c *claim) giveBack() {
	if c.secured != nil {
		c.secured()
	}
}

// confirm makes sure that the request may make the changes: that the header If
// holds, that nobody else is changing the same, and that whatever is locked is
// locked by a token that the client submitted (RFC 4918 §7). Nobody else can
// then lock or change it until the claim is released.
func (h *Handler) confirm(r *http.Request, changes ...change) (*claim, error) {
	return h.confirmFor(r, operationKey{}, changes)
}

// confirmFor is confirm for an operation that has a key. Where an identical
// request has the claim, the error is an *identicalError.
func (h *Handler) confirmFor(r *http.Request, key operationKey, changes []change) (*claim, error) {
	header, err := ifOf(r)
	if err != nil {
		return nil, err
	}
	scopes := make([]scope, len(changes))
	for i, c := range changes {
		scopes[i] = scope{name: c.key, tree: c.tree}
	}
	held := &hold{scopes: scopes, key: key}
	if err := h.shared().claims.acquireHold(r.Context(), held); err != nil {
		return nil, err
	}
	used, err := h.permit(r, header, changes)
	if err != nil {
		h.shared().claims.release(held)
		return nil, err
	}
	return &claim{locks: h.locks(), used: used, claims: &h.shared().claims, hold: held}, nil
}

// permit evaluates the header If and checks the locks.
func (h *Handler) permit(r *http.Request, header ifHeader, changes []change) ([]usedToken, error) {
	places := make([]place, len(changes))
	for i, c := range changes {
		places[i] = c.place
	}
	if err := h.evaluateIf(r, header, places...); err != nil {
		return nil, err
	}
	locks := h.locks()
	if locks.manager == nil {
		return locks.probe(r.Context(), h, header.tokens(), changes)
	}
	return nil, h.checkLocks(r, header, changes)
}
