package dav

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/davd/davd/storage/lock"
)

// errForeignLock: a token is of use to its creator alone (RFC 4918 §6.4).
var errForeignLock = &statusError{status: http.StatusForbidden, reason: "the lock was created by somebody else"}

// lockedMembersError says that members of a collection are locked, so that the
// collection can't be changed, or locked, as a whole.
type lockedMembersError struct {
	roots     []string // of the locks
	condition string   // the precondition that fails (RFC 4918 §16)
	// dependent is the resource that failed because of them (424), or "".
	dependent string
}

func (e *lockedMembersError) Error() string {
	return e.roots[0] + " is locked"
}

// submitted is what a request says about its locks.
type submitted struct {
	tokens    []string
	principal string
}

// checkLocks makes sure that for each resource that would change, and that is
// locked, the token of one of its locks was submitted (RFC 4918 §7.5, §7.7). An
// exclusive lock is the only one; of shared locks any one will do (§6.2).
func (h *Handler) checkLocks(r *http.Request, header ifHeader, changes []change) error {
	by := submitted{header.tokens(), h.principal(r)}
	var members []string
	for _, c := range changes {
		found, err := h.locks().manager.Find(r.Context(), time.Now(), c.name, c.tree)
		if err != nil {
			return fmt.Errorf("locks of %s: %w", c.name, err)
		}
		covering := func(name string) (covering []lock.Lock) {
			for _, each := range found {
				if each.Covers(name) {
					covering = append(covering, each)
				}
			}
			return covering
		}
		if err := h.allows(r.Context(), by, covering(c.name)); err != nil {
			return err
		}
		for _, each := range found {
			if each.Covers(c.name) || slices.Contains(members, each.Root) {
				continue
			}
			if err := h.allows(r.Context(), by, covering(each.Root)); statusOf(err) == http.StatusLocked {
				members = append(members, each.Root)
			} else if err != nil {
				return err
			}
		}
		if c.member {
			if err := h.checkMembership(r.Context(), by, c.name); err != nil {
				return err
			}
		}
	}
	if len(members) > 0 {
		return &lockedMembersError{roots: members, condition: "lock-token-submitted"}
	}
	return nil
}

// checkMembership checks the locks of the collection that gains or loses name:
// they protect its members' names whatever their depth (RFC 4918 §7.4).
func (h *Handler) checkMembership(ctx context.Context, by submitted, name string) error {
	parent, err := h.locks().manager.Find(ctx, time.Now(), path.Dir(name), false)
	if err != nil {
		return fmt.Errorf("locks of %s: %w", path.Dir(name), err)
	}
	return h.allows(ctx, by, parent)
}

// allows reports whether by may change a resource that has the locks covering.
func (h *Handler) allows(ctx context.Context, by submitted, covering []lock.Lock) error {
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
	return &statusError{
		status: http.StatusLocked, reason: "locked: its lock token is needed in the header If",
		condition: "lock-token-submitted", hrefs: h.lockRoots(ctx, covering),
	}
}

// lockRoots returns the hrefs of the roots of locks, each once.
func (h *Handler) lockRoots(ctx context.Context, locks []lock.Lock) []string {
	var hrefs []string
	for _, each := range locks {
		if href := h.hrefOf(ctx, each.Root); !slices.Contains(hrefs, href) {
			hrefs = append(hrefs, href)
		}
	}
	return hrefs
}
