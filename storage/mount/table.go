package mount

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage"
)

// table says which share each name belongs to. It doesn't change.
type table struct {
	root   *node
	shares []*share
	// places are the names of the roots of shares, in the same order.
	places []string
	made   time.Time
	// refs counts the FS and the operations that use the table.
	refs atomic.Int64
}

// node is the place of a share, or a collection that leads to one.
type node struct {
	share *share // nil if it only leads to others
	// members are those that are nodes; user is the one that stands for all users.
	members map[string]*node
	user    *node
	// folded has the members with folded names.
	folded map[string]bool
}

// leads reports whether the place of another share is below n.
func (n *node) leads() bool { return len(n.members) > 0 || n.user != nil }

func newTable(f *FS, shares []Share, old *table) (*table, error) {
	t := &table{root: &node{}, made: time.Now()}
	t.refs.Store(1)
	ids := map[string]bool{}
	for _, each := range shares {
		if err := each.check(); err != nil {
			return nil, err
		}
		if ids[each.ID] {
			return nil, fmt.Errorf("two shares have the id %s", each.ID)
		}
		ids[each.ID] = true
		s := old.same(each)
		if s == nil {
			s = newShare(f, each)
		}
		n := t.root.at(each.At)
		if n.share != nil {
			return nil, fmt.Errorf("two shares are at %s", each.At)
		}
		n.share = s
		t.shares, t.places = append(t.shares, s), append(t.places, each.At)
	}
	for _, s := range t.shares {
		s.tables.Add(1)
	}
	return t, nil
}

func (s Share) check() error {
	users := 0
	for segment := range strings.SplitSeq(s.At, "/") {
		if segment == UserSegment {
			users++
		}
	}
	switch {
	case !validID(s.ID):
		return fmt.Errorf("the id %q of a share must be one segment of a name", s.ID)
	case storage.Clean(s.At) != s.At:
		return fmt.Errorf("the name %q of a share must start with a slash and must not have empty, . or .. segments", s.At)
	case storage.Reserved(s.At):
		return fmt.Errorf("the name %q of a share is reserved", s.At)
	case users > 1:
		return fmt.Errorf("the name %q of a share has more than one %s", s.At, UserSegment)
	case s.Open == nil:
		return fmt.Errorf("the share %s has no Open", s.ID)
	}
	return nil
}

func validID(id string) bool {
	return id != "" && !strings.ContainsFunc(id, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f })
}

// same returns the share with the ID and the Token of s, or nil.
func (t *table) same(s Share) *share {
	if t == nil {
		return nil
	}
	for _, is := range t.shares {
		if is.ID == s.ID && is.Token == s.Token && is.users == s.ofUsers() {
			return is
		}
	}
	return nil
}

// release ends the use of t.
func (t *table) release() {
	if t == nil || t.refs.Add(-1) > 0 {
		return
	}
	for _, s := range t.shares {
		if s.tables.Add(-1) == 0 {
			s.retire()
		}
	}
}

// retain returns false if t is no longer used.
func (t *table) retain() bool { return retain(&t.refs) }

func retain(refs *atomic.Int64) bool {
	for {
		n := refs.Load()
		if n == 0 {
			return false
		}
		if refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// at returns the node name, and creates it if necessary.
func (n *node) at(name string) *node {
	for segment := range strings.SplitSeq(name[1:], "/") {
		switch {
		case segment == "":
			return n // the root
		case segment == UserSegment:
			if n.user == nil {
				n.user = &node{}
			}
			n = n.user
			continue
		case n.members[segment] == nil:
			if n.members == nil {
				n.members, n.folded = map[string]*node{}, map[string]bool{}
			}
			n.members[segment] = &node{}
			n.folded[storage.Fold(segment)] = true
		}
		n = n.members[segment]
	}
	return n
}

// spot is what the table knows about a name.
type spot struct {
	share *share // nil if no share contains the name
	user  string // whose storage it is, if the share is one of users
	// segment is the segment of the name that stands for a user, or "".
	segment string
	// at is the name of the share's root, or "" for the root of all. name is the name in
	// the share.
	at, name string
	// full is the name that was looked for.
	full string
	// node is nil if the name is neither the place of a share nor leads to one.
	node *node
	// hidden says that a share is at a name that some filesystem takes for this one.
	hidden bool
}

// root reports whether the name is that of the share's root.
func (s *spot) root() bool { return s.node != nil && s.node.share != nil }

// find returns the spot of name.
func (t *table) find(name string) spot { return t.findClean(storage.Clean(name)) }

// findClean is find for a clean name. It takes the bytes of any other name as they are.
func (t *table) findClean(name string) spot {
	s := spot{share: t.root.share, node: t.root, full: name}
	for end := 0; end+1 < len(name); {
		next := len(name)
		if i := strings.IndexByte(name[end+1:], '/'); i >= 0 {
			next = end + 1 + i
		}
		segment := name[end+1 : next]
		member := s.node.members[segment]
		if member == nil && s.node.user != nil && ValidUser(segment) {
			member, s.segment = s.node.user, segment
		}
		if member == nil {
			s.hidden = s.share != nil && len(s.node.folded) > 0 && s.node.folded[storage.Fold(segment)]
			s.node = nil
			break
		}
		s.node, end = member, next
		if member.share != nil {
			s.share, s.at = member.share, name[:end]
		}
	}
	if s.share != nil && s.share.users {
		s.user = s.segment
	}
	s.name = cmp.Or(name[len(s.at):], "/")
	return s
}

// exists reports whether name is a collection that the table itself contains.
func (t *table) exists(name string) bool { return t.find(name).node != nil }

// out returns the name in the name space of a name in the share.
func (s *spot) out(name string) string {
	switch {
	case s.at == "":
		return name
	case name == "/":
		return s.at
	}
	return s.at + name
}

// base returns the last segment of the name, or "/" for the root.
func (s *spot) base() string { return path.Base(s.full) }

// memberNames returns the names of the nodes below n that principal sees, in order.
func (n *node) memberNames(principal string) []string {
	names := make([]string, 0, len(n.members)+1)
	for name := range n.members {
		names = append(names, name)
	}
	slices.Sort(names)
	if n.user != nil && ValidUser(principal) && n.members[principal] == nil {
		names = append(names, principal)
	}
	return names
}

// hides reports whether a member of a storage can't be reached, because a share is at its
// name or at one that some filesystem takes for it.
func (n *node) hides(member string) bool {
	return n.members[member] != nil || n.user != nil && ValidUser(member) ||
		len(n.folded) > 0 && n.folded[storage.Fold(member)]
}
