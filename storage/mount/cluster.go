package mount

import (
	"context"

	"github.com/davd/davd/storage/cluster"
)

// Cluster implements cluster.Member.
func (s *State) Cluster() cluster.Node {
	if s.member == nil {
		return nil
	}
	return s.member
}

// member is this process in the cluster, with the names of the name space.
type member struct {
	cluster.Node

	of *FS
}

// memberOf returns the node of a Backing, or nil if no other process uses it.
func memberOf(b Backing, of *FS) *member {
	inner := cluster.Of(b)
	if inner == nil {
		return nil
	}
	return &member{inner, of}
}

// Claim implements cluster.Node, like the method below. A claim on a tree includes the shares that
// are mounted in it.
func (n *member) Claim(ctx context.Context, w cluster.Work) (cluster.Claim, error) {
	t := n.of.current(ctx)
	scopes := make([]cluster.Scope, 0, len(w.Scopes))
	for _, s := range w.Scopes {
		name := s.Name
		s.Name = n.in(ctx, name)
		scopes = append(scopes, s)
		if s.Tree {
			for _, share := range t.inside(name, "") {
				scopes = append(scopes, cluster.Scope{Name: share.inState, Tree: true})
			}
		}
	}
	w.Scopes = scopes
	return n.Node.Claim(ctx, w)
}

func (n *member) Placing(ctx context.Context, name string) (bool, error) {
	return n.Node.Placing(ctx, n.in(ctx, name))
}

// in returns the name in the state. That of a name in no share is the name itself.
func (n *member) in(ctx context.Context, name string) string {
	if inState, ok := n.of.Names().In(ctx, name); ok {
		return inState
	}
	return name
}
