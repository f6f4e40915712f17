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

// owners counts the bytes of the owners in an index.
type owners struct {
	all      int
	byHolder map[string]int
}

// add counts the owner of l, which may be longer than the current limit. With remove it
// subtracts it again.
func (o *owners) add(l Lock, remove bool) {
	n := len(l.OwnerXML)
	if n == 0 {
		return
	}
	if remove {
		n = -n
	}
	o.all += n
	if o.byHolder == nil {
		o.byHolder = make(map[string]int)
	}
	holder := l.holder()
	if o.byHolder[holder] += n; o.byHolder[holder] == 0 {
		delete(o.byHolder, holder)
	}
}

// holder returns the principal or, if that has no name, the client.
func (l *Lock) holder() string {
	if l.Principal == "" && l.Client != "" {
		return "\x00" + l.Client // can't be the name of a principal
	}
	return l.Principal
}

// admit returns an [*OwnerError] if there is no room for the owner of wanted. most is
// the limit for one owner, all that for all together.
func (o *owners) admit(wanted Lock, most, all int) error {
	n := len(wanted.OwnerXML)
	switch {
	case n > most:
		return &OwnerError{Limit: most}
	case n == 0:
		return nil
	case o.all+n > all:
		return &OwnerError{Limit: all, All: true}
	}
	share := all
	if wanted.Principal != "" {
		share = all / ownersShare
	} else if wanted.Client != "" {
		share = all - all/ownersShare
	}
	if o.byHolder[wanted.holder()]+n > share {
		return &OwnerError{Limit: share, All: true}
	}
	return nil
}
