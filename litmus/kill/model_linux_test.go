package kill

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// A resource is a file or a collection in the model.
type resource struct {
	collection bool
	content    string
	// props are the dead properties by local name. The map is never modified.
	props map[string]string
}

// A held is a lock.
type held struct {
	token string // "" if its LOCK was not answered
	root  string
	deep  bool // Depth infinity
}

// covers reports whether the lock protects name.
func (h held) covers(name string) bool {
	return h.root == name || h.deep && below(name, h.root)
}

// A view is everything that clients can see at and below some collections.
type view struct {
	resources map[string]resource
	locks     map[string]held // by owner, which is unique
}

func newView() view {
	return view{resources: map[string]resource{}, locks: map[string]held{}}
}

func (v view) clone() view {
	return view{resources: maps.Clone(v.resources), locks: maps.Clone(v.locks)}
}

// within returns the part of v at and below the roots.
func (v view) within(roots ...string) view {
	part := newView()
	inside := func(name string) bool {
		return slices.ContainsFunc(roots, func(root string) bool { return name == root || below(name, root) })
	}
	for name, r := range v.resources {
		if inside(name) {
			part.resources[name] = r
		}
	}
	for owner, l := range v.locks {
		if inside(l.root) {
			part.locks[owner] = l
		}
	}
	return part
}

// add adds the resources and locks of w.
func (v view) add(w view) {
	maps.Copy(v.resources, w.resources)
	maps.Copy(v.locks, w.locks)
}

// below reports whether name is a member of root, or of a collection below it.
func below(name, root string) bool {
	return strings.HasPrefix(name, strings.TrimSuffix(root, "/")+"/")
}

// tree returns the sorted names at and below root.
func (v view) tree(root string) []string {
	var names []string
	for name := range v.resources {
		if name == root || below(name, root) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// size returns the number of bytes at and below root.
func (v view) size(root string) (bytes int) {
	for _, name := range v.tree(root) {
		bytes += len(v.resources[name].content)
	}
	return bytes
}

// remove removes the tree at root, with the locks in it (RFC 4918 §9.6.1).
func (v view) remove(root string) {
	for _, name := range v.tree(root) {
		delete(v.resources, name)
	}
	maps.DeleteFunc(v.locks, func(_ string, l held) bool { return l.root == root || below(l.root, root) })
}

// copy replaces dst with a copy of src. A lock on dst itself remains (RFC 4918 §9.8.4, §7.6).
func (v view) copy(src, dst string, deep bool) {
	stays := map[string]held{}
	for owner, l := range v.locks {
		if l.root == dst {
			stays[owner] = l
		}
	}
	v.remove(dst)
	maps.Copy(v.locks, stays)
	for _, name := range v.tree(src) {
		if name == src || deep {
			v.resources[dst+strings.TrimPrefix(name, src)] = v.resources[name]
		}
	}
}

// move replaces dst with src. Locks don't move (RFC 4918 §7.7).
func (v view) move(src, dst string) {
	v.copy(src, dst, true)
	v.remove(src)
}

// patched returns props after a PROPPATCH. A value of "" in change removes a property.
func patched(props, change map[string]string) map[string]string {
	props = maps.Clone(props)
	if props == nil {
		props = map[string]string{}
	}
	for name, value := range change {
		if value == "" {
			delete(props, name)
		} else {
			props[name] = value
		}
	}
	return props
}

// A difference is a difference between two views.
type difference struct {
	name string
	what string
}

func (d *difference) Error() string { return d.name + ": " + d.what }

// differ compares the actual view with the wanted one. It returns nil if they are equal.
func differ(got, want view) *difference {
	for _, name := range slices.Sorted(maps.Keys(want.resources)) {
		r, ok := got.resources[name]
		if !ok {
			return &difference{name, "is missing"}
		}
		if what := differResource(r, want.resources[name]); what != "" {
			return &difference{name, what}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got.resources)) {
		if _, ok := want.resources[name]; !ok {
			return &difference{name, "should not exist"}
		}
	}
	return differLocks(got, want)
}

func differResource(got, want resource) string {
	switch {
	case got.collection != want.collection:
		return fmt.Sprintf("is a collection: %t, want %t", got.collection, want.collection)
	case got.content != want.content:
		return fmt.Sprintf("holds %s, want %s", shorten(got.content), shorten(want.content))
	case !maps.Equal(got.props, want.props):
		return fmt.Sprintf("has the properties %v, want %v", shortProps(got.props), shortProps(want.props))
	}
	return ""
}

func differLocks(got, want view) *difference {
	for _, owner := range slices.Sorted(maps.Keys(want.locks)) {
		w := want.locks[owner]
		g, ok := got.locks[owner]
		if w.token == "" {
			w.token = g.token
		}
		switch {
		case !ok:
			return &difference{w.root, "has lost the lock of " + owner}
		case g != w:
			return &difference{w.root, fmt.Sprintf("has the lock %+v of %s, want %+v", g, owner, w)}
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(got.locks)) {
		if _, ok := want.locks[owner]; !ok {
			return &difference{got.locks[owner].root, "should not have the lock of " + owner}
		}
	}
	return nil
}

// differPartly compares the actual view with the ones that an interrupted DELETE of root may leave.
// Any members may be missing from before, but a collection only with all its members.
func differPartly(got, before view, root string) *difference {
	want := before.clone()
	for _, name := range before.tree(root) {
		if _, ok := got.resources[name]; !ok {
			want.remove(name) // Members are removed before their collection.
		}
	}
	return differ(got, want)
}

func shorten(content string) string {
	start := content
	if len(start) > 24 {
		start = start[:24] + "…"
	}
	return fmt.Sprintf("%d bytes %q", len(content), start)
}

func shortProps(props map[string]string) map[string]string {
	short := map[string]string{}
	for name, value := range props {
		short[name] = shorten(value)
	}
	return short
}

// lockedOut reports whether a lock forbids a client without tokens to change name. member says that
// name is created or removed, tree that everything below it changes as well (RFC 4918 §7.4, §7.5).
func (v view) lockedOut(name string, tree, member bool) bool {
	for _, l := range v.locks {
		if l.covers(name) || tree && below(l.root, name) || member && l.covers(path.Dir(name)) {
			return true
		}
	}
	return false
}
