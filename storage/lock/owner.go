package lock

import "fmt"

// Default limits for the owners of locks, in bytes.
const (
	DefaultMaxOwner  = 8 << 10
	DefaultMaxOwners = 8 << 20
)

// ownersShare is the divisor of what all owners together may take: one named principal
// may take a quarter. A client without a name may take three quarters, so that it
// leaves a quarter to others: many users may share its address.
const ownersShare = 4

// OwnerError says that a lock can't be granted because its owner is too long (RFC 4918
// §14.17), or because the owners of all locks together are.
type OwnerError struct {
	// Limit is how many bytes are allowed.
	Limit int
	// All reports that the limit is for several owners together: all, or those of one
	// principal.
	All bool
}

func (e *OwnerError) Error() string {
	if e.All {
		return fmt.Sprintf("the owners of the existing locks take up too much of their %d bytes: "+
			"unlock some, wait until they expire, or give this lock a shorter owner", e.Limit)
	}
	return fmt.Sprintf("the owner of a lock may have at most %d bytes: shorten it", e.Limit)
}

// CheckOwner returns an [*OwnerError] if owner is longer than [DefaultMaxOwner]. It is
// for a webdav.LockSystem without a limit of its own.
func CheckOwner(owner string) error {
	if len(owner) > DefaultMaxOwner {
		return &OwnerError{Limit: DefaultMaxOwner}
	}
	return nil
}

// usage is what a principal or a client has.
type usage struct {
	locks  int
	owners int // the bytes of the owners of these locks
}

// clientKey returns the key of a client in index.used. No principal has such a name.
func clientKey(client string) string { return "\x00" + client }

// count counts a lock, whose owner may be longer than the current limit. With sign -1 it
// subtracts the lock again.
func (x *index) count(l Lock, sign int) {
	owner := sign * len(l.OwnerXML)
	x.owners += owner
	holders := []string{l.Principal}
	if l.Client != "" {
		holders = append(holders, clientKey(l.Client))
	}
	for _, holder := range holders {
		used := x.used[holder]
		used.locks += sign
		used.owners += owner
		if x.used[holder] = used; used.locks == 0 {
			delete(x.used, holder)
		}
	}
}

// admitOwner returns an [*OwnerError] if there is no room for the owner of wanted. most is
// the limit for one owner, all that for all together.
func (x *index) admitOwner(wanted Lock, most, all int) error {
	n := len(wanted.OwnerXML)
	switch {
	case n > most:
		return &OwnerError{Limit: most}
	case n == 0:
		return nil
	case x.owners+n > all:
		return &OwnerError{Limit: all, All: true}
	}
	holder, share := wanted.Principal, all
	if holder != "" {
		share = all / ownersShare
	} else if wanted.Client != "" {
		holder, share = clientKey(wanted.Client), all-all/ownersShare
	}
	if x.used[holder].owners+n > share {
		return &OwnerError{Limit: share, All: true}
	}
	return nil
}
