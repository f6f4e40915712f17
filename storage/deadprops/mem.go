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
	root *resource // nil if the store is empty
	used usage
}

// resource is one name. It has a property, or a member below it has one. Otherwise it
// is removed immediately.
type resource struct {
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

// count adds the sizes in the tree of r, or of r alone with zeroDepth, to used; a sign of
// -1 subtracts them. r may be nil.
func (r *resource) count(used usage, sign int64, zeroDepth bool) {
	if r == nil {
		return
	}
	used.add(r.props, sign)
	if zeroDepth {
		return
	}
	for _, member := range r.members {
		member.count(used, sign, false)
	}
}

// own makes owner the owner of all properties in the tree. r may be nil.
func (r *resource) own(owner string) {
	if r == nil {
		return
	}
	for i := range r.props {
		r.props[i].owner = owner
	}
	for _, member := range r.members {
		member.own(owner)
	}
}

// NewMem returns an empty Mem.
func NewMem() *Mem { return &Mem{} }

var _ Store = (*Mem)(nil)

// Any implements [Store].
func (m *Mem) Any(ctx context.Context, name string) (bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.find(name) != nil, ctx.Err()
}

// Read implements [Store].
func (m *Mem) Read(ctx context.Context, query Query) (map[string][]webdav.Property, *Next, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.root == nil {
		return nil, nil, ctx.Err()
	}
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
	defer m.prune(name)
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
	return m.replace(ctx, src, dst, func(r *resource) *resource {
		m.take(src)
		return r
	})
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
	m.find(dst).count(freed, -1, false)
	m.find(src).count(added, 1, zeroDepth)
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
		if given {
			copied.own(budget.Owner)
		}
		used := usage{}
		copied.count(used, 1, false)
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

// replace calls take with the resource src, if it exists, and puts the result in the
// place of dst.
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
	if r = take(r); r != nil {
		*m.make(dst) = *r
	}
	return nil
}

// find returns the resource, or nil if nothing in its tree has a property.
func (m *Mem) find(name string) *resource {
	r, rest := m.root, name[1:]
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
	if m.root == nil {
		m.root = &resource{}
	}
	r, rest := m.root, name[1:]
	for rest != "" {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		member := r.members[segment]
		if member == nil {
			member = &resource{}
			if r.members == nil {
				r.members = map[string]*resource{}
			}
			// The name may share memory with a whole request.
			r.members[strings.Clone(segment)] = member
		}
		r = member
	}
	return r
}

// remove removes the tree of name.
func (m *Mem) remove(name string) {
	used := usage{}
	m.find(name).count(used, -1, false)
	m.charge(used)
	m.take(name)
}

// take takes the tree of name out, and the resources above that would be left empty.
func (m *Mem) take(name string) {
	if r := m.find(name); r != nil {
		kept := *r
		*r = resource{}
		m.prune(name)
		*r = kept // The caller may put it elsewhere.
	}
}

// prune removes name and the resources above it as far as they are empty.
func (m *Mem) prune(name string) {
	if m.root == nil {
		return
	}
	var path []string
	if name != "/" {
		path = strings.Split(name[1:], "/")
	}
	above := []*resource{m.root}
	for _, segment := range path {
		above = append(above, above[len(above)-1].members[segment])
	}
	for i := len(path); above[i].empty(); i-- {
		if i == 0 {
			m.root = nil
			return
		}
		delete(above[i-1].members, path[i-1])
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

// copy returns a copy of r, or nil if there is nothing to copy.
func (r *resource) copy(zeroDepth bool) *resource {
	copied := &resource{props: slices.Clone(r.props)}
	if !zeroDepth && len(r.members) > 0 {
		copied.members = make(map[string]*resource, len(r.members))
		for segment, member := range r.members {
			copied.members[segment] = member.copy(false)
		}
	}
	if copied.empty() {
		return nil
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
