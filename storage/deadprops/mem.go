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

// Mem is a [Store] in memory. What it costs depends on the depth of a name and
// on the size of the tree that is copied, not on how much is stored elsewhere.
type Mem struct {
	mu   sync.RWMutex
	root *resource // nil: nothing is stored
	used usage
}

// resource is one name. It has a property, or members that do; one that has
// neither is removed at once.
type resource struct {
	props   []property // in the order of their XML names
	members map[string]*resource
}

// property is a property, and who owns it.
type property struct {
	webdav.Property
	owner string
}

// usage is how many bytes are of which owners.
type usage map[string]int64

// add adds the size of props, or with a sign of -1 subtracts it.
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

// charge adds to what owners have.
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

// count adds what the tree of r, or with zeroDepth r alone, has. r may be nil.
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

// own gives all properties of the tree to owner. r may be nil.
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

// cloned is found with values of its own.
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

// replace puts what take makes of src, where there is one, in the place of dst.
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

// find returns the resource, or nil when nothing in its tree has a property.
func (m *Mem) find(name string) *resource {
	r, rest := m.root, name[1:]
	for r != nil && rest != "" {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		r = r.members[segment]
	}
	return r
}

// make returns the resource, a new one if need be. Its caller gives it a
// property or prunes it.
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
			// A name is often a slice of a whole request.
			r.members[strings.Clone(segment)] = member
		}
		r = member
	}
	return r
}

// remove removes the tree.
func (m *Mem) remove(name string) {
	used := usage{}
	m.find(name).count(used, -1, false)
	m.charge(used)
	m.take(name)
}

// take takes the tree out, and what would be left without a property above.
func (m *Mem) take(name string) {
	if r := m.find(name); r != nil {
		kept := *r
		*r = resource{}
		m.prune(name)
		*r = kept // It may be put elsewhere.
	}
}

// prune removes name and what is above it as far as they are empty.
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

// copy returns nil when there is nothing to copy.
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

// kept is what a Store keeps of a property, with bytes of its own.
func kept(prop webdav.Property) webdav.Property {
	return webdav.Property{XMLName: prop.XMLName, Lang: prop.Lang, InnerXML: bytes.Clone(prop.InnerXML)}
}
