package clustertest_test

import (
	"context"
	"testing"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/cluster/clustertest"
)

// inMemory is the cluster in memory as the suite sees it.
type inMemory struct {
	*clustertest.Database

	joined []*clustertest.State
}

func (c *inMemory) Join(t *testing.T, name string, settle func(ctx context.Context, works []cluster.Adopted)) clustertest.Process {
	t.Helper()
	s := c.Node(name)
	c.joined = append(c.joined, s)
	clustertest.Run(t, s, settle)
	return s
}

func (c *inMemory) Declare(_ *testing.T, p clustertest.Process) {
	for _, s := range c.joined {
		if s != p {
			dead, _ := p.(*clustertest.State)
			c.Database.Declare(dead, s)
			return
		}
	}
}

func TestConformance(t *testing.T) {
	clustertest.Suite{New: func(t *testing.T) clustertest.Cluster {
		db, err := clustertest.New()
		if err != nil {
			t.Fatal(err)
		}
		return &inMemory{Database: db}
	}}.Run(t)
}
