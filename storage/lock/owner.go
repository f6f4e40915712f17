package lock

import "fmt"

// Limits of the owners of locks when [Options] doesn't say otherwise, in bytes.
const (
	DefaultMaxOwner  = 8 << 10
	DefaultMaxOwners = 8 << 20
)

// ownersShare is the part of all owners that one named principal may take up: a
// quarter.
const ownersShare = 4

// OwnerError says that a lock can't be granted because its owner is too long
// (RFC 4918 §14.17), or because the owners of all locks together are.
type OwnerError struct {
	// Limit is how long it may be, in bytes.
	Limit int
	// All: the limit is that of all owners, or of one principal's.
	All bool
}

func (e *OwnerError) Error() string {
	if e.All {
		return fmt.Sprintf("the owners of the locks there are take up too much of their %d bytes: "+
			"unlock some, wait until they expire, or give this lock a shorter owner", e.Limit)
	}
	return fmt.Sprintf("the owner of a lock may have %d bytes: shorten it", e.Limit)
}

// CheckOwner returns an [*OwnerError] if owner is longer than [DefaultMaxOwner]. It
// is for a webdav.LockSystem that has no limit of its own.
func CheckOwner(owner string) error {
	if len(owner) > DefaultMaxOwner {
		return &OwnerError{Limit: DefaultMaxOwner}
	}
	return nil
}

// owners counts the bytes of the owners in an index.
type owners struct {
	all         int
	byPrincipal map[string]int
}

// add counts the owner of l, which may be longer than is allowed now. With remove it
// no longer counts.
func (o *owners) add(l Lock, remove bool) {
	n := len(l.OwnerXML)
	if n == 0 {
		return
	}
	if remove {
		n = -n
	}
	o.all += n
	if o.byPrincipal == nil {
		o.byPrincipal = make(map[string]int)
	}
	if o.byPrincipal[l.Principal] += n; o.byPrincipal[l.Principal] == 0 {
		delete(o.byPrincipal, l.Principal)
	}
}

// admit returns an [*OwnerError] if there is no room for the owner of wanted. most
// is how long it may be, all how long all may be together.
func (o *owners) admit(wanted Lock, most, all int) error {
	n := len(wanted.OwnerXML)
	switch {
	case n > most:
		return &OwnerError{Limit: most}
	case n == 0:
		return nil
	case o.all+n > all:
		return &OwnerError{Limit: all, All: true}
	case wanted.Principal != "" && o.byPrincipal[wanted.Principal]+n > all/ownersShare:
		return &OwnerError{Limit: all / ownersShare, All: true}
	}
	return nil
}
