package pgstate

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/cluster/clustertest"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	clustertest.Suite{Transacts: true, New: func(t *testing.T) clustertest.Cluster { return &shared{dsn: pgtest.Database(t)} }}.Run(t)
}

// shared is a database as a [clustertest.Cluster].
type shared struct {
	dsn     string
	mu      sync.Mutex
	members []*DB
}

func TestClusterThroughPgBouncer(t *testing.T) {
	t.Parallel()
	clustertest.Suite{Transacts: true, New: func(t *testing.T) clustertest.Cluster {
		return &shared{dsn: pgtest.Bouncer(t, pgtest.Database(t))}
	}}.Run(t)
}

// Join implements [clustertest.Cluster], like the method below.
func (s *shared) Join(t *testing.T, name string, settle func(ctx context.Context, works []cluster.Adopted)) clustertest.Process {
	t.Helper()
	db := open(t, s.dsn, Options{Name: name})
	run(t, db, settle)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members = append(s.members, db)
	return db
}

func (s *shared) Declare(t *testing.T, p clustertest.Process) {
	t.Helper()
	dead, ok := p.(*DB)
	if !ok {
		t.Fatalf("a %T", p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, db := range s.members {
		if db != dead {
			declare(t, dead, db)
			return
		}
	}
}

// declare lets by take over from dead.
func declare(t *testing.T, dead, by *DB) {
	t.Helper()
	declareEpoch(t, peer{epoch: dead.Cluster().Epoch(), name: dead.Name}, by)
}

// declareEpoch is declare for a node of another process.
func declareEpoch(t *testing.T, p peer, by *DB) {
	t.Helper()
	m, err := by.current()
	if err != nil {
		t.Fatal(err)
	}
	for { // It may renew its lease meanwhile.
		if err := by.read(t.Context(), func(rows pgx.Rows) error { return rows.Scan(&p.beat) }, "SELECT beat FROM nodes WHERE epoch = $1", p.epoch); err != nil {
			t.Fatal(err)
		}
		_, ok, err := by.takeOver(t.Context(), m, p)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			break
		}
	}
	by.figures.takeovers.Add(1)
	signal(m.adopted)
}
