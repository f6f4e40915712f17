package lock

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/davd/davd/storage"
)

// index is a set of locks that can be found by token, by name and by expiry. Create it
// with newIndex.
type index struct {
	byToken map[string]*entry
	used    map[string]usage // by principal, and by clientKey for clients
	owners  int              // the bytes of all owners together
	root    node
	created uint64 // number of entries that were ever inserted
	// next is when a lock may expire; zero if none will. It is too early if that lock was
	// renewed or removed since.
	next time.Time
}

// entry is a lock in an index.
type entry struct {
	lock    Lock
	created uint64 // orders the entries by their creation
	at      *node  // nil if it is in no index
	held    bool   // held by Confirm: it does not expire
	kept    bool   // the Store may have it
}

// node is a name that is locked or lies above a locked one, in a trie of segments.
type node struct {
	parent  *node // nil for "/"
	segment string
	members map[string]*node
	locks   []*entry // locks with this root, in the order of their creation
}

func newIndex() index {
	return index{byToken: map[string]*entry{}, used: map[string]usage{}}
}

// alive reports whether the lock has not expired at now.
func (e *entry) alive(now time.Time) bool {
	return e.held || e.lock.Expires.IsZero() || now.Before(e.lock.Expires)
}

// insert adds e as the newest entry.
func (x *index) insert(e *entry) {
	n := &x.root
	for rest := trimSlash(e.lock.Root); rest != ""; {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		n = n.member(segment)
	}
	x.created++
	e.created, e.at = x.created, n
	n.locks = append(n.locks, e)
	x.byToken[e.lock.Token] = e
	x.count(e.lock, 1)
	x.expect(e)
}

// remove removes e and the nodes that only e needed.
func (x *index) remove(e *entry) {
	delete(x.byToken, e.lock.Token)
	x.count(e.lock, -1)
	n := e.at
	e.at = nil
	i := slices.Index(n.locks, e)
	n.locks = slices.Delete(n.locks, i, i+1)
	for n.parent != nil && len(n.locks) == 0 && len(n.members) == 0 {
		delete(n.parent.members, n.segment)
		n = n.parent
	}
}

// renew gives e a new timeout.
func (x *index) renew(e *entry, duration time.Duration, expires time.Time) {
	e.lock.Duration, e.lock.Expires = duration, expires
	x.expect(e)
}

// expect notes when e will expire, unless it doesn't or is held.
func (x *index) expect(e *entry) {
	if expires := e.lock.Expires; !e.held && !expires.IsZero() && (x.next.IsZero() || expires.Before(x.next)) {
		x.next = expires
	}
}

// expired returns the entries that have expired. It looks at all entries, but only once
// until another one may expire.
func (x *index) expired(now time.Time) (found []*entry) {
	if x.next.IsZero() || now.Before(x.next) {
		return nil
	}
	x.next = time.Time{}
	for _, e := range x.byToken {
		if e.alive(now) {
			x.expect(e)
		} else {
			found = append(found, e)
		}
	}
	return found
}

// release ends the hold of e, which may be in no index any more.
func (x *index) release(e *entry) {
	if e.held = false; e.at != nil {
		x.expect(e)
	}
}

// covering returns the entries that cover name and, with tree, those whose root is below
// name, sorted by root. Without tree, the cost is proportional to the number of segments of
// name.
func (x *index) covering(name string, tree bool) (found []*entry) {
	n := &x.root
	for rest := trimSlash(name); rest != ""; {
		for _, e := range n.locks {
			if !e.lock.ZeroDepth {
				found = append(found, e)
			}
		}
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		if n = n.members[segment]; n == nil {
			return found
		}
	}
	found = append(found, n.locks...)
	if tree {
		found = append(found, n.below()...)
	}
	return found
}

// tree returns the entries whose root is name or below it, sorted by root.
func (x *index) tree(name string) []*entry {
	return slices.DeleteFunc(x.covering(name, true), func(e *entry) bool { return !storage.Contains(name, e.lock.Root) })
}

// conflicts returns the entries that conflict with wanted, sorted by root: those that
// cover its root and those that it would cover, except that two shared locks don't
// conflict (RFC 4918 §6.2, §7.4).
func (x *index) conflicts(wanted Lock) []*entry {
	found := x.covering(wanted.Root, !wanted.ZeroDepth)
	if wanted.Shared {
		found = slices.DeleteFunc(found, func(e *entry) bool { return e.lock.Shared })
	}
	return found
}

// below returns the entries below the node, sorted by root and then by creation.
func (n *node) below() []*entry {
	var found []*entry
	for open := []*node{n}; len(open) > 0; {
		last := open[len(open)-1]
		open = open[:len(open)-1]
		for _, m := range last.members {
			found = append(found, m.locks...)
			open = append(open, m)
		}
	}
	slices.SortFunc(found, func(a, b *entry) int {
		return cmp.Or(strings.Compare(a.lock.Root, b.lock.Root), cmp.Compare(a.created, b.created))
	})
	return found
}

// member returns the node of a member, and creates it if necessary.
func (n *node) member(segment string) *node {
	m := n.members[segment]
	if m == nil {
		m = &node{parent: n, segment: segment}
		if n.members == nil {
			n.members = map[string]*node{}
		}
		n.members[segment] = m
	}
	return m
}

func trimSlash(name string) string { return strings.TrimPrefix(name, "/") }

// locksOf returns the locks of the entries.
func locksOf(entries []*entry) []Lock {
	if len(entries) == 0 {
		return nil
	}
	locks := make([]Lock, len(entries))
	for i, e := range entries {
		locks[i] = e.lock
	}
	return locks
}
