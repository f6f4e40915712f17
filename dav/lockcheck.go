package dav

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/lock"
)

// errForeignLock refuses a token of another principal: only the creator of a lock may
// use its token (RFC 4918 §6.4).
var errForeignLock = &status.Error{Status: http.StatusForbidden, Reason: "the lock was created by another user"}

// lockedMembersError says that a collection can't be changed or locked as a whole
// because some of its members are locked.
type lockedMembersError struct {
	roots     []string // of the locks, as the client sees them
	condition string   // the failed precondition (RFC 4918 §16)
	// dependent is the resource that fails because of these (424), or "".
	dependent string
}

func (e *lockedMembersError) Error() string {
	return e.roots[0] + " is locked"
}

// Unwrap says that the answer is a 207 that names the members.
func (e *lockedMembersError) Unwrap() error { return errSeveral }

var errSeveral = &status.Error{Status: http.StatusMultiStatus, Reason: "members are locked"}

// submitted holds the lock tokens that a request submitted, and its principal.
type submitted struct {
	tokens    []string
	principal string
}

// checkLocks makes sure that the request submitted a lock token for each locked
// resource that it would change (RFC 4918 §7.5, §7.7). If a resource has several shared
// locks, the token of any of them will do (§6.2).
func (h *Handler) checkLocks(r *request, header field.If, changes []change) error {
	by := submitted{header.Tokens(), r.principal()}
	var members []string
	for _, c := range changes {
		found, err := h.locks().manager.Find(r.Context(), time.Now(), c.Key, c.tree)
		if err != nil {
			return fmt.Errorf("locks of %s: %w", c.Key, err)
		}
		covering := func(name string) (covering []lock.Lock) {
			for _, each := range found {
				if each.Covers(name) {
					covering = append(covering, each)
				}
			}
			return covering
		}
		if err := h.allows(r.Context(), by, covering(c.Key), c.Place); err != nil {
			return err
		}
		if err := h.checkLinks(r.Context(), by, c.Place); err != nil {
			return err
		}
		for _, each := range found {
			if each.Covers(c.Key) || slices.Contains(members, each.Root) {
				continue
			}
			if err := h.allows(r.Context(), by, covering(each.Root), c.Place); status.Of(err) == http.StatusLocked {
				members = append(members, each.Root)
			} else if err != nil {
				return err
			}
		}
		if c.member {
			if err := h.checkMembership(r.Context(), by, c.Place); err != nil {
				return err
			}
		}
	}
	if len(members) > 0 {
		return &lockedMembersError{roots: h.shownNames(members, changes), condition: "lock-token-submitted"}
	}
	return nil
}

// shownNames returns the names under which the client sees the resources with these
// keys.
func (h *Handler) shownNames(keys []string, changes []change) []string {
	places := make([]place.Place, len(changes))
	for i, c := range changes {
		places[i] = c.Place
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = place.Shown(key, places...)
	}
	return names
}

// checkLinks checks the locks of the symbolic links that led the client to p. A lock on
// a collection also protects the targets of its links against clients that come through
// them.
func (h *Handler) checkLinks(ctx context.Context, by submitted, p place.Place) error {
	for _, key := range p.Links {
		found, err := h.locks().manager.Find(ctx, time.Now(), key, false)
		if err != nil {
			return fmt.Errorf("locks of %s: %w", key, err)
		}
		if err := h.allows(ctx, by, found, p); err != nil {
			return err
		}
	}
	return nil
}

// checkMembership checks the locks of the collection that gains or loses p. Whatever
// their depth, they protect the names of the members (RFC 4918 §7.4).
func (h *Handler) checkMembership(ctx context.Context, by submitted, p place.Place) error {
	parent, err := h.locks().manager.Find(ctx, time.Now(), p.Parent(), false)
	if err != nil {
		return fmt.Errorf("locks of %s: %w", p.Parent(), err)
	}
	return h.allows(ctx, by, parent, p)
}

// allows returns an error unless by may change a resource that the locks in covering
// protect. about is the place that the client asked for.
func (h *Handler) allows(ctx context.Context, by submitted, covering []lock.Lock, about place.Place) error {
	if len(covering) == 0 {
		return nil
	}
	foreign := false
	for _, each := range covering {
		if slices.Contains(by.tokens, each.Token) {
			if each.Principal == by.principal {
				return nil
			}
			foreign = true
		}
	}
	if foreign {
		return errForeignLock
	}
	return &status.Error{
		Status: http.StatusLocked, Reason: "locked: the header If must contain the lock token",
		Condition: "lock-token-submitted", Hrefs: h.lockRoots(ctx, covering, about),
	}
}

// lockRoots returns the hrefs of the roots of locks without duplicates, as a client
// sees them that asked for about.
func (h *Handler) lockRoots(ctx context.Context, locks []lock.Lock, about place.Place) []string {
	var hrefs []string
	for _, each := range locks {
		if href := h.hrefOf(ctx, place.Shown(each.Root, about)); !slices.Contains(hrefs, href) {
			hrefs = append(hrefs, href)
		}
	}
	return hrefs
}
