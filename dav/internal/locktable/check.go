package locktable

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/lock"
)

// errForeignLock refuses a token of another principal: only the creator of a lock may
// use its token (RFC 4918 §6.4).
var errForeignLock = status.New(http.StatusForbidden, "the lock was created by another user")

// MembersError says that a collection can't be changed or locked as a whole
// because some of its members are locked.
type MembersError struct {
	Roots     []string // of the locks, as the client sees them
	Condition string   // the failed precondition (RFC 4918 §16)
	// Dependent is the resource that fails because of these (424), or "".
	Dependent string
}

func (e *MembersError) Error() string {
	return e.Roots[0] + " is locked"
}

// Unwrap says that the answer is a 207 that names the members.
func (e *MembersError) Unwrap() error { return errSeveral }

var errSeveral = status.New(http.StatusMultiStatus, "members are locked")

// Submitted holds the lock tokens that a request submitted, and its principal.
type Submitted struct {
	Tokens    []string
	Principal string
}

// Change describes one resource that a request is about to change.
type Change struct {
	place.Place
	// Tree: everything below it changes too.
	Tree bool
	// Membership: it is added to its collection or removed from it.
	Membership bool
}

// Permit makes sure that by may make the changes (RFC 4918 §7). For a plain LockSystem, it
// returns the tokens that cover them.
func (l *Table) Permit(ctx context.Context, by Submitted, changes []Change) ([]Used, error) {
	if l.manager == nil {
		return l.probe(ctx, by.Tokens, changes)
	}
	return nil, l.check(ctx, by, changes)
}

// PermitMember makes sure that by may add at to its collection.
func (l *Table) PermitMember(ctx context.Context, by Submitted, at place.Place) error {
	if l.manager == nil {
		_, err := l.probe(ctx, by.Tokens, []Change{{Place: at, Membership: true}})
		return err
	}
	if err := l.checkLinks(ctx, by, at); err != nil {
		return err
	}
	return l.checkMembership(ctx, by, at)
}

// check makes sure that the request submitted a lock token for each locked
// resource that it would change (RFC 4918 §7.5, §7.7). If a resource has several shared
// locks, the token of any of them will do (§6.2).
func (l *Table) check(ctx context.Context, by Submitted, changes []Change) error {
	var members []string
	for _, c := range changes {
		found, err := l.manager.Find(ctx, time.Now(), c.Key, c.Tree)
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
		if err := l.allows(ctx, by, covering(c.Key), c.Place); err != nil {
			return err
		}
		if err := l.checkLinks(ctx, by, c.Place); err != nil {
			return err
		}
		for _, each := range found {
			if each.Covers(c.Key) || slices.Contains(members, each.Root) {
				continue
			}
			if err := l.allows(ctx, by, covering(each.Root), c.Place); status.Of(err) == http.StatusLocked {
				members = append(members, each.Root)
			} else if err != nil {
				return err
			}
		}
		if c.Membership {
			if err := l.checkMembership(ctx, by, c.Place); err != nil {
				return err
			}
		}
	}
	if len(members) > 0 {
		return &MembersError{Roots: l.shownNames(members, changes), Condition: "lock-token-submitted"}
	}
	return nil
}

// shownNames returns the names under which the client sees the resources with these
// keys.
func (l *Table) shownNames(keys []string, changes []Change) []string {
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
func (l *Table) checkLinks(ctx context.Context, by Submitted, p place.Place) error {
	for _, key := range p.Links {
		found, err := l.manager.Find(ctx, time.Now(), key, false)
		if err != nil {
			return fmt.Errorf("locks of %s: %w", key, err)
		}
		if err := l.allows(ctx, by, found, p); err != nil {
			return err
		}
	}
	return nil
}

// checkMembership checks the locks of the collection that gains or loses p. Whatever
// their depth, they protect the names of the members (RFC 4918 §7.4).
func (l *Table) checkMembership(ctx context.Context, by Submitted, p place.Place) error {
	parent, err := l.manager.Find(ctx, time.Now(), p.Parent(), false)
	if err != nil {
		return fmt.Errorf("locks of %s: %w", p.Parent(), err)
	}
	return l.allows(ctx, by, parent, p)
}

// allows returns an error unless by may change a resource that the locks in covering
// protect. about is the place that the client asked for.
func (l *Table) allows(ctx context.Context, by Submitted, covering []lock.Lock, about place.Place) error {
	if len(covering) == 0 {
		return nil
	}
	foreign := false
	for _, each := range covering {
		if slices.Contains(by.Tokens, each.Token) {
			if each.Principal == by.Principal {
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
		Condition: "lock-token-submitted", Hrefs: l.lockRoots(ctx, covering, about),
	}
}

// lockRoots returns the hrefs of the roots of locks without duplicates, as a client
// sees them that asked for about. At least one href is required (RFC 4918 §16). If the client may
// see none of the roots, it gets the resource that it asked for.
func (l *Table) lockRoots(ctx context.Context, locks []lock.Lock, about place.Place) []string {
	var hrefs []string
	for _, each := range locks {
		if href := l.href(ctx, place.Shown(each.Root, about)); href != "" && !slices.Contains(hrefs, href) {
			hrefs = append(hrefs, href)
		}
	}
	if hrefs == nil {
		hrefs = append(hrefs, l.href(ctx, about.Asked))
	}
	return hrefs
}

// Conflict converts the error of a failed lock request at a place for the client
// (RFC 4918 §9.10.5, §9.10.6).
func (l *Table) Conflict(ctx context.Context, at place.Place, err error) error {
	owner, isOwner := errors.AsType[*lock.OwnerError](err)
	conflict, isConflict := errors.AsType[*lock.ConflictError](err)
	switch {
	case isOwner:
		return status.New(http.StatusInsufficientStorage, owner.Error())
	case !isConflict && errors.Is(err, webdav.ErrLocked):
		return &status.Error{Status: http.StatusLocked, Reason: "locked", Condition: "no-conflicting-lock"}
	case !isConflict:
		return err
	}
	var covering []lock.Lock
	var members []string
	for _, each := range conflict.Locks {
		if each.Covers(at.Key) {
			covering = append(covering, each)
		} else {
			members = append(members, place.Shown(each.Root, at))
		}
	}
	if len(covering) == 0 {
		// Several shared locks may have the same root, but a multi-status must name each
		// resource only once (RFC 4918 §14.24).
		slices.Sort(members)
		return &MembersError{Roots: slices.Compact(members), Condition: "no-conflicting-lock", Dependent: at.Asked}
	}
	return &status.Error{
		Status: http.StatusLocked, Reason: "locked",
		Condition: "no-conflicting-lock", Hrefs: l.lockRoots(ctx, covering, at),
	}
}

// ErrTokenMatches returns the error for a token whose lock does not cover the request URI.
func ErrTokenMatches(code int) error {
	return &status.Error{
		Status: code, Reason: "no lock with that token covers the request URI",
		Condition: "lock-token-matches-request-uri",
	}
}
