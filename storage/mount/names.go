package mount

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/davd/davd/storage"
)

// sharePrefix starts the names of shares in the state. It is reserved.
const sharePrefix = "/" + storage.ReservedPrefix + "share-"

// Names translates between names of the name space and names in the state, which contain the id
// of a share instead of its place. So the state of a share stays with it when its place changes.
type Names struct{ of *FS }

// Names returns the translation of f.
func (f *FS) Names() Names { return Names{f} }

// In returns the name in the state. ok is false for names that belong to no share.
func (n Names) In(ctx context.Context, name string) (inState string, ok bool) {
	if storage.Contains(storage.OutsideKey, name) {
		return name, true // a Key outside all shares
	}
	s := n.of.current(ctx).findClean(name)
	if s.share == nil {
		return "", false
	}
	return s.share.inState(s.user, s.name), true
}

// Out is the reverse of In. ok is false for names in shares that don't exist now, and for names
// that another share covers.
func (n Names) Out(ctx context.Context, inState string) (name string, ok bool) {
	return n.of.current(ctx).out(inState)
}

// Storage returns the root of the share that contains name, and the identity of its storage.
func (n Names) Storage(ctx context.Context, name string) (root, identity string, err error) {
	at, err := n.of.target(ctx, "storage", name)
	if err != nil || at.in == nil {
		return "", "", err
	}
	defer at.release()
	return cmp.Or(at.at, "/"), at.in.identity, nil
}

// inState returns the name in the state of a name in the share.
func (s *share) inState(user, name string) string {
	prefix := sharePrefix + s.ID
	if s.users {
		prefix += "/" + user
	}
	if name == "/" {
		return prefix
	}
	return prefix + name
}

func (t *table) out(inState string) (name string, ok bool) {
	if storage.Contains(storage.OutsideKey, inState) {
		return inState, true
	}
	rest, ok := strings.CutPrefix(inState, sharePrefix)
	if !ok {
		return "", false
	}
	id, rest := cutSegment(rest)
	i := slices.IndexFunc(t.shares, func(s *share) bool { return s.ID == id })
	if i < 0 {
		return "", false
	}
	at, user := strings.TrimSuffix(t.places[i], "/"), ""
	if t.shares[i].users {
		user, rest = cutSegment(strings.TrimPrefix(rest, "/"))
		at = strings.TrimSuffix(strings.Replace(at+"/", "/"+UserSegment+"/", "/"+user+"/", 1), "/")
	}
	name = cmp.Or(at+rest, "/")
	found := t.findClean(name)
	return name, found.share == t.shares[i] && found.user == user && !found.hidden
}

// cutSegment returns the first segment of name, which doesn't start with a slash, and the rest,
// which does unless it is empty.
func cutSegment(name string) (segment, rest string) {
	if i := strings.IndexByte(name, '/'); i >= 0 {
		return name[:i], name[i:]
	}
	return name, ""
}

// around returns the names in the state that name would have in the shares around its own.
func (t *table) around(name string) (inState []string) {
	at := t.find(name)
	if at.at == "" {
		return nil
	}
	for dir := at.at; dir != "/"; {
		dir = dir[:max(strings.LastIndexByte(dir, '/'), 1)]
		outer := t.find(dir)
		if outer.share == nil {
			return inState
		}
		inState = append(inState, outer.share.inState(outer.user, strings.TrimPrefix(at.full, outer.at)))
		if outer.at == "" {
			return inState
		}
		dir = outer.at
	}
	return inState
}

// below is a share whose root is below a name.
type below struct {
	// name is the name of its root; "" for the storages of all users. inState is the name in
	// the state.
	name, inState string
}

// inside returns the shares whose roots are below name. For shares of users it returns the
// storages of user or, if user is "", those of all users.
func (t *table) inside(name, user string) []below {
	at := t.find(name)
	if at.node == nil || !at.node.leads() {
		return nil
	}
	if at.segment != "" {
		user = at.segment
	}
	return at.node.appendInside(nil, strings.TrimSuffix(at.full, "/"), user, true)
}

// appendInside appends the shares below n, whose name is name. known says that the name is.
func (n *node) appendInside(found []below, name, user string, known bool) []below {
	for segment, member := range n.members {
		found = member.appendShare(found, name+"/"+segment, user, known)
	}
	if n.user == nil {
		return found
	}
	return n.user.appendShare(found, name+"/"+user, user, user != "")
}

func (n *node) appendShare(found []below, name, user string, known bool) []below {
	if s := n.share; s != nil {
		is := below{inState: sharePrefix + s.ID}
		if known {
			is = below{name, s.inState(user, "/")}
		}
		found = append(found, is)
	}
	return n.appendInside(found, name, user, known)
}
