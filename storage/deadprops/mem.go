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
}

// resource is one name. It has a property, or members that do; one that has
// neither is removed at once.
type resource struct {
	props   []webdav.Property // in the order of their XML names
	members map[string]*resource
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
func (m *Mem) Read(ctx context.Context, names ...string) (map[string][]webdav.Property, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.root == nil {
		return nil, ctx.Err()
	}
	found := map[string][]webdav.Property{}
	for _, name := range names {
		if r := m.find(name); r != nil && len(r.props) > 0 {
			found[name] = clone(r.props)
		}
	}
	return found, ctx.Err()
}

// Patch implements [Store].
func (m *Mem) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	r := m.make(name)
	for _, patch := range patches {
		for _, prop := range patch.Props {
			r.patch(prop, patch.Remove)
		}
	}
	m.prune(name)
	return nil
}

// Move implements [Store].
func (m *Mem) Move(ctx context.Context, src, dst string) error {
	return m.replace(ctx, src, dst, func(r *resource) *resource {
		m.detach(src)
		return r
	})
}

// Copy implements [Store].
func (m *Mem) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return m.replace(ctx, src, dst, func(r *resource) *resource { return r.copy(zeroDepth) })
}

// Remove implements [Store].
func (m *Mem) Remove(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.detach(name)
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
	m.detach(dst)
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

// detach takes the tree out, and what would be left without a property above.
func (m *Mem) detach(name string) {
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
func (r *resource) patch(prop webdav.Property, remove bool) {
	i, found := slices.BinarySearchFunc(r.props, prop.XMLName, func(p webdav.Property, name xml.Name) int {
		return Compare(p.XMLName, name)
	})
	switch {
	case !remove && found:
		r.props[i] = kept(prop)
	case !remove:
		r.props = slices.Insert(r.props, i, kept(prop))
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

func clone(props []webdav.Property) []webdav.Property {
	cloned := slices.Clone(props)
	for i := range cloned {
		cloned[i].InnerXML = bytes.Clone(cloned[i].InnerXML)
	}
	return cloned
}
