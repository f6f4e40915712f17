package mount_test

import (
	"context"
	"testing"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/cluster/clustertest"
	"github.com/davd/davd/storage/mount"
)

// TestCluster: two processes that have the same shares at different places exclude each other, and a
// claim on a tree includes the shares in it.
func TestCluster(t *testing.T) {
	db, err := clustertest.New()
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string, shares ...mount.Share) cluster.Node {
		return newFS(t, shares...).State(db.Node(name)).Cluster()
	}
	a := open("a", inMemory("outer", "/o"), inMemory("inner", "/o/in"), inMemory("homes", "/h/{user}"))
	b := open("b", inMemory("outer", "/x"), inMemory("inner", "/y"), inMemory("homes", "/h/{user}"))
	for _, test := range []struct {
		held, asked cluster.Scope
		overlap     bool
	}{
		{cluster.Scope{Name: "/o/a"}, cluster.Scope{Name: "/x/a"}, true},
		{cluster.Scope{Name: "/o/a"}, cluster.Scope{Name: "/y/a"}, false},
		{cluster.Scope{Name: "/o", Tree: true}, cluster.Scope{Name: "/y/a"}, true},
		{cluster.Scope{Name: "/o"}, cluster.Scope{Name: "/y/a"}, false},
		{cluster.Scope{Name: "/h", Tree: true}, cluster.Scope{Name: "/h/ann/f"}, true},
		{cluster.Scope{Name: "/h/ann", Tree: true}, cluster.Scope{Name: "/h/bob/f"}, false},
	} {
		held, err := a.Claim(t.Context(), cluster.Work{Scopes: []cluster.Scope{test.held}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if test.overlap {
			cancel()
		}
		asked, err := b.Claim(ctx, cluster.Work{Scopes: []cluster.Scope{test.asked}})
		cancel()
		if (err != nil) != test.overlap {
			t.Errorf("%+v and %+v: %v", test.held, test.asked, err)
		}
		wantError(t, "End", held.End(t.Context(), nil), nil)
		if asked != nil {
			wantError(t, "End", asked.End(t.Context(), nil), nil)
		}
	}
	if newFS(t, inMemory("only", "/")).State(newBacking(t, 0)).Cluster() != nil {
		t.Error("a state of one process has a node")
	}
}
