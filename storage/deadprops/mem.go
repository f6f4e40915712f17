package deadprops

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// Mem is a [Store] in memory. The cost of a call depends on the depth of the name and
// on the size of a tree that is copied, moved or removed, but not on the total size of
// the store.
type Mem struct {
	mu   sync.RWMutex
	root resource
	used usage
}

// resource is one name. It has a property, or a member below it has one. Otherwise it
// is removed immediately, unless it is the root.
type resource struct {
	parent  *resource // nil for "/"
	segment string
	props   []property // in the order of their XML names
	members map[string]*resource
}

// property is a property together with its owner.
type property struct {
	webdav.Property
	owner string
}

// usage maps owners to the number of bytes that their properties take.
type usage map[string]int64

// add adds the size of props or, if sign is -1, subtracts it.
func (u usage) add(props []property, sign int64) {
	for _, p := range props {
		u[p.owner] += sign * int64(Size(p.Property))
	}
}

func sum(props []property) (bytes int64) {
	for _, p := range props {
		bytes += int64(Size(p.Property))
	}
	return bytes
}

// charge adds used to what the owners use.
func (m *Mem) charge(used usage) {
	for owner, bytes := range used {
		if m.used == nil {
			m.used = usage{}
		}
		if m.used[owner] += bytes; m.used[owner] == 0 {
			delete(m.used, owner)
		}
	}
}

// each calls do for everything in the tree of r, which may be nil.
func (r *resource) each(do func(r *resource)) {
	if r == nil {
		return
	}
	do(r)
	for _, member := range r.members {
		member.each(do)
	}
}

// count adds the sizes in the tree of r, which may be nil, to used; a sign of -1 subtracts
// them.
func (r *resource) count(used usage, sign int64) {
	r.each(func(r *resource) { used.add(r.props, sign) })
}

// NewMem returns an empty Mem.
func NewMem() *Mem { return &Mem{} }

var _ Store = (*Mem)(nil)

// Any implements [Store].
func (m *Mem) Any(ctx context.Context, name string) (bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	r := m.find(name)
	return r != nil && !r.empty(), ctx.Err()
}

// Read implements [Store].
func (m *Mem) Read(ctx context.Context, query Query) (map[string][]webdav.Property, *Next, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	selected := Selection{Query: query}
	for _, name := range query.Names {
		r := m.find(name)
		if r == nil || len(selected.Found[name]) > 0 {
			continue
		}
		for _, p := range r.props {
			if !selected.Add(name, p.Property) {
				return cloned(selected.Found), selected.Next, ctx.Err()
			}
		}
	}
	return cloned(selected.Found), nil, ctx.Err()
}

// cloned returns found, with copies of the values.
func cloned(found map[string][]webdav.Property) map[string][]webdav.Property {
	for _, props := range found {
		for i := range props {
			props[i].InnerXML = bytes.Clone(props[i].InnerXML)
		}
	}
	return found
}

// Patch implements [Store].
func (m *Mem) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	budget, _ := BudgetOf(ctx)
	if err := budget.Limits.CheckProperties(patches); err != nil {
		return err
	}
	r := m.make(name)
	defer r.prune()
	before := r.props
	r.props = slices.Clone(before)
	for _, patch := range patches {
		for _, prop := range patch.Props {
			r.patch(prop, patch.Remove, budget.Owner)
		}
	}
	used := usage{}
	used.add(before, -1)
	used.add(r.props, 1)
	err := budget.Limits.CheckResource(sum(before), sum(r.props))
	if err == nil {
		owned := m.used[budget.Owner]
		err = budget.Limits.CheckOwner(owned, owned+used[budget.Owner])
	}
	if err != nil {
		r.props = before
		return err
	}
	m.charge(used)
	return nil
}

// Move implements [Store].
func (m *Mem) Move(ctx context.Context, src, dst string) error {
	return m.replace(ctx, src, dst, (*resource).take)
}

// MayCopy implements [Store].
func (m *Mem) MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	budget, given := BudgetOf(ctx)
	if !given {
		return ctx.Err()
	}
	freed, added := usage{}, usage{}
	m.find(dst).count(freed, -1)
	if r := m.find(src); r != nil && zeroDepth {
		added.add(r.props, 1)
	} else {
		r.count(added, 1)
	}
	owned := m.used[budget.Owner]
	after := owned + freed[budget.Owner]
	for _, bytes := range added {
		after += bytes
	}
	return cmp.Or(ctx.Err(), budget.Limits.CheckOwner(owned, after))
}

// Copy implements [Store].
func (m *Mem) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	budget, given := BudgetOf(ctx)
	return m.replace(ctx, src, dst, func(r *resource) *resource {
		copied := r.copy(zeroDepth)
		used := usage{}
		copied.each(func(r *resource) {
			for i := range r.props {
				if given {
					r.props[i].owner = budget.Owner
				}
			}
			used.add(r.props, 1)
		})
		m.charge(used)
		return copied
	})
}

// Remove implements [Store].
func (m *Mem) Remove(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.remove(name)
	return nil
}

// replace calls take with the resource src, if it exists, and puts what the result has in
// the place of dst.
func (m *Mem) replace(ctx context.Context, src, dst string, take func(*resource) *resource) error {
	if storage.Overlap(src, dst) {
		return fmt.Errorf("properties of %q to %q: one contains the other: %w", src, dst, fs.ErrInvalid)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.remove(dst)
	r := m.find(src)
	if r == nil {
		return nil
	}
	r = take(r)
	to := m.make(dst)
	to.props, to.members = r.props, r.members
	for _, member := range to.members {
		member.parent = to
	}
	to.prune()
	return nil
}

// find returns the resource, or nil if nothing in its tree has a property. It always
// returns the root.
func (m *Mem) find(name string) *resource {
	r, rest := &m.root, name[1:]
	for r != nil && rest != "" {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		r = r.members[segment]
	}
	return r
}

// make returns the resource, and creates it if necessary. The caller must give it a
// property or prune it.
func (m *Mem) make(name string) *resource {
	r, rest := &m.root, name[1:]
	for rest != "" {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		member := r.members[segment]
		if member == nil {
			// The name may share memory with a whole request.
			member = &resource{parent: r, segment: strings.Clone(segment)}
			if r.members == nil {
				r.members = map[string]*resource{}
			}
			r.members[member.segment] = member
		}
		r = member
	}
	return r
}

// remove removes the tree of name.
func (m *Mem) remove(name string) {
	if r := m.find(name); r != nil {
		used := usage{}
		r.take().count(used, -1)
		m.charge(used)
	}
}

// take takes everything out of r and returns it. It removes r.
func (r *resource) take() *resource {
	taken := &resource{props: r.props, members: r.members}
	r.props, r.members = nil, nil
	r.prune()
	return taken
}

// prune removes r and the resources above it as far as they are empty.
func (r *resource) prune() {
	for ; r.parent != nil && r.empty(); r = r.parent {
		delete(r.parent.members, r.segment)
	}
}

func (r *resource) empty() bool { return len(r.props) == 0 && len(r.members) == 0 }

// patch sets or removes one property.
func (r *resource) patch(prop webdav.Property, remove bool, owner string) {
	i, found := slices.BinarySearchFunc(r.props, prop.XMLName, func(p property, name xml.Name) int {
		return Compare(p.XMLName, name)
	})
	switch {
	case !remove && found:
		r.props[i] = property{kept(prop), owner}
	case !remove:
		r.props = slices.Insert(r.props, i, property{kept(prop), owner})
	case found:
		r.props = slices.Delete(r.props, i, i+1)
	}
}

// copy returns a copy of what r has.
func (r *resource) copy(zeroDepth bool) *resource {
	copied := &resource{segment: r.segment, props: slices.Clone(r.props)}
	if !zeroDepth && len(r.members) > 0 {
		copied.members = make(map[string]*resource, len(r.members))
		for segment, member := range r.members {
			below := member.copy(false)
			below.parent = copied
			copied.members[segment] = below
		}
	}
	return copied
}

// Compare orders the XML names of properties as [Store.Read] returns them.
func Compare(a, b xml.Name) int {
	return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Local, b.Local))
}

// kept returns the part of a property that a Store keeps, with its own copy of the
// value.
func kept(prop webdav.Property) webdav.Property {
	return webdav.Property{XMLName: prop.XMLName, Lang: prop.Lang, InnerXML: bytes.Clone(prop.InnerXML)}
}
