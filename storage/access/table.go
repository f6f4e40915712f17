package access

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/storage"
)

// table has the rights of one principal.
type table struct {
	principal string
	groups    []string // those of the login
	// exact has the names as the rules spell them. folded has folded names, each with only
	// those rights that all names have that fold to it.
	exact, folded *node
}

// node is a name at which rules differ from those above, or a name above such a one.
type node struct {
	// rights are those at the name, and at the names below it without a node.
	rights storage.Right
	// ruled says that a rule has set the rights. Otherwise they come from the node above.
	ruled bool
	// root says that the name is the root of a share. inner says that it is above the shares.
	root, inner bool
	members     map[string]*node
	// others stands for the members that are not in members, if they have rules too.
	others *node

	// summarise sets the fields below.

	// own are the rights at the name. That is RightList if the principal only may pass through
	// to a name below.
	own storage.Right
	// tree are the rights at the name and at all names below it.
	tree storage.Right
	// seen says that the principal may see the name, at least as a part of the way to another.
	seen bool
	// hides says that members may be hidden.
	hides bool
	// uniform says that all names of the share have the same rights.
	uniform bool
}

// compile returns the table of a principal.
func (p *Policy) compile(principal string, groups []string) *table {
	t := &table{principal: principal, groups: groups, exact: &node{inner: true}}
	for i := range p.shares {
		s := &p.shares[i]
		t.add(p, s, slices.Index(s.root, userSegment), false)
		if principal != "" && slices.Contains(s.root, userSegment) {
			t.add(p, s, -1, true)
		}
	}
	t.exact.inherit()
	t.exact.level()
	t.folded = fold([]*node{t.exact})
	for _, root := range []*node{t.exact, t.folded} {
		root.summarise(principal != "")
		// The root always exists, because that is where clients are asked for a password.
		if root.seen = true; root.inner && principal != "" {
			root.own |= storage.RightList
		}
	}
	return t
}

// add adds the rules of a share. The segment wild of its root stands for all names. With owns,
// {user} is the principal.
func (t *table) add(p *Policy, s *share, wild int, owns bool) {
	for _, at := range s.paths {
		segments := at.path
		if owns {
			segments = slices.Clone(segments)
			segments[slices.Index(s.root, userSegment)] = composed(t.principal)
		}
		n := t.exact.make(segments, wild, len(s.root))
		if rights, applies := p.rightsBy(at.rules, t, owns); applies {
			n.rights, n.ruled = rights, true
		} else if n.root {
			n.ruled = true // Nothing comes from the share around this one.
		}
	}
}

// make returns the node with a name, which it makes if necessary. The first root segments are
// the name of a share.
func (n *node) make(name []string, wild, root int) *node {
	if root == 0 {
		n.root, n.inner = true, false
	}
	for i, segment := range name {
		next := n.members[segment]
		if i == wild {
			next = n.others
		}
		if next == nil {
			next = &node{inner: n.inner}
			if i == wild {
				n.others = next
			} else {
				if n.members == nil {
					n.members = make(map[string]*node)
				}
				n.members[segment] = next
			}
		}
		if n = next; i == root-1 {
			n.root, n.inner = true, false
		}
	}
	return n
}

// each calls do for each node directly below n.
func (n *node) each(do func(*node)) {
	for _, member := range n.members {
		do(member)
	}
	if n.others != nil {
		do(n.others)
	}
}

// inherit gives the nodes below n without a rule the rights of the node above.
func (n *node) inherit() {
	n.each(func(below *node) {
		if !below.ruled {
			below.rights, below.inner = n.rights, n.inner && below.inner
		}
		below.inherit()
	})
}

// level sets uniform for n and all nodes below it. No links exist above the shares, so those
// nodes count as uniform.
func (n *node) level() {
	if n.inner {
		n.uniform = true
	} else if n.root {
		n.setUniform(n.isUniform(n.rights))
	}
	n.each((*node).level)
}

// isUniform reports whether n and the nodes of its share below it have these rights.
func (n *node) isUniform(rights storage.Right) bool {
	uniform := n.rights == rights
	n.each(func(below *node) { uniform = uniform && (below.root || below.isUniform(rights)) })
	return uniform
}

func (n *node) setUniform(uniform bool) {
	n.uniform = uniform
	n.each(func(below *node) {
		if !below.root {
			below.setUniform(uniform)
		}
	})
}

// fold returns a node for all of nodes, whose names fold to the same.
func fold(nodes []*node) *node {
	folded := &node{rights: storage.RightsWrite, uniform: true, inner: true}
	spellings := make(map[string]bool)
	others := false
	for _, n := range nodes {
		folded.rights &= n.rights
		folded.uniform = folded.uniform && n.uniform
		folded.inner = folded.inner && n.inner
		others = others || n.others != nil
		for segment := range n.members {
			spellings[storage.Fold(segment)] = true
		}
	}
	for spelling := range spellings {
		var same []*node
		for _, n := range nodes {
			found := false
			for segment, member := range n.members {
				if storage.Fold(segment) == spelling {
					same, found = append(same, member), true
				}
			}
			if !found {
				same = append(same, n.other())
			}
		}
		if folded.members == nil {
			folded.members = make(map[string]*node)
		}
		folded.members[spelling] = fold(same)
	}
	if others {
		var rest []*node
		for _, n := range nodes {
			rest = append(rest, n.other())
		}
		folded.others = fold(rest)
	}
	return folded
}

// other returns the node of a member that has none of its own.
func (n *node) other() *node {
	if n.others != nil {
		return n.others
	}
	return &node{rights: n.rights, uniform: n.uniform}
}

// summarise sets what follows from the rights of n and of the nodes below it. named says that
// the principal has a name: other clients can't list what they only pass through.
func (n *node) summarise(named bool) {
	n.own, n.tree, n.seen = n.rights, n.rights, n.rights != 0
	n.hides = n.others == nil && n.rights == 0
	n.each(func(below *node) {
		below.summarise(named)
		n.tree &= below.tree
		n.seen = n.seen || below.seen
		n.hides = n.hides || !below.seen
	})
	if n.rights == 0 && n.seen && named {
		n.own = storage.RightList
	}
}

// member returns the node of a member, or nil if it has the rights of n.
func (n *node) member(segment string) *node {
	if member := n.members[segment]; member != nil {
		return member
	}
	return n.others
}

// shows reports whether the principal sees a member.
func (n *node) shows(segment string) bool {
	if member := n.member(segment); member != nil {
		return member.seen
	}
	return n.rights != 0
}

// verdict says what a principal may do at a name, under one or more spellings.
type verdict struct {
	own, tree     storage.Right
	seen, uniform bool
	// named says that the principal has a name.
	named bool
	// staged says that the name is the logical one of a tree that is being built.
	staged bool
	// filters decide which members are shown, together; they are set if members may be hidden.
	filters []filter
}

// filter decides which members of a collection are shown.
type filter struct {
	node  *node
	spell func(string) string
}

func (f filter) shows(segment string) bool { return f.node.shows(f.spell(segment)) }

// restrict leaves in v what the principal may also do at name.
func (t *table) restrict(v *verdict, name string) {
	v.restrict(t.exact, name, composed)
	v.restrict(t.folded, name, storage.Fold)
}

func (v *verdict) restrict(n *node, name string, spell func(string) string) {
	for rest := name[1:]; rest != ""; {
		segment := rest
		if end := strings.IndexByte(rest, '/'); end >= 0 {
			segment, rest = rest[:end], rest[end+1:]
		} else {
			rest = ""
		}
		below := n.member(spell(segment))
		if below == nil {
			v.own &= n.rights
			v.tree &= n.rights
			v.seen = v.seen && n.rights != 0
			v.uniform = v.uniform && n.uniform
			return
		}
		n = below
	}
	v.own &= n.own
	v.tree &= n.tree
	v.seen = v.seen && n.seen
	v.uniform = v.uniform && n.uniform
	if n.hides {
		v.filters = append(v.filters, filter{n, spell})
	}
}

// composed returns the spelling that names and rules are compared in. macOS sends decomposed
// characters, and people write composed ones.
func composed(segment string) string {
	for i := range len(segment) {
		if segment[i] >= utf8.RuneSelf {
			return norm.NFC.String(segment)
		}
	}
	return segment
}
