package lock

import "fmt"

// Limits of the owners of locks when [Options] doesn't say otherwise, in bytes.
const (
	DefaultMaxOwner  = 8 << 10
	DefaultMaxOwners = 8 << 20
)

// ownersShare is the part of all owners that one named principal may take up: a quarter. A
// client without a name leaves as much to others: many may be behind its address.
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
	all      int
	byHolder map[string]int
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
	if o.byHolder == nil {
		o.byHolder = make(map[string]int)
	}
	holder := l.holder()
	if o.byHolder[holder] += n; o.byHolder[holder] == 0 {
		delete(o.byHolder, holder)
	}
}

// holder is the principal or, without a name, the client.
func (l *Lock) holder() string {
	if l.Principal == "" && l.Client != "" {
		return "\x00" + l.Client // no principal's name
	}
	return l.Principal
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
