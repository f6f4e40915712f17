package locktable

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/lock"
)

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
