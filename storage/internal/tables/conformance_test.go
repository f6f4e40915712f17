package tables_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/pgstate"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/pgtest"
	"github.com/davd/davd/storage/tokens"
)

// state is a *sqlstate.DB or a *pgstate.DB.
type state interface {
	Properties() deadprops.Store
	History() history.Store
	Tokens() tokens.Store
}

// database opens the state of a kind of database.
type database interface {
	// open returns an empty state.
	open(t *testing.T) state
	// reopen returns what another process would open after the state that open has returned.
	reopen(t *testing.T) state
}

// file is an SQLite file.
type file struct {
	path string
	db   *sqlstate.DB
}

func (f *file) open(t *testing.T) state {
	t.Helper()
	f.path = filepath.Join(t.TempDir(), "state.db")
	return f.opened(t)
}

func (f *file) reopen(t *testing.T) state {
	t.Helper()
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	return f.opened(t)
}

func (f *file) opened(t *testing.T) state {
	t.Helper()
	db, err := sqlstate.Open(t.Context(), f.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f.db = db
	return db
}

// nodes are two nodes of a PostgreSQL database. The first one reaches it through PgBouncer.
type nodes struct {
	dsn           string
	first, second *pgstate.DB
}

func newNodes(t *testing.T) *nodes {
	t.Helper()
	n := &nodes{dsn: pgtest.Database(t)}
	n.first, n.second = node(t, pgtest.Bouncer(t, n.dsn)), node(t, n.dsn)
	return n
}

// node returns a database whose node is a member of the cluster until the test ends.
func node(t *testing.T, dsn string) *pgstate.DB {
	t.Helper()
	db, err := pgstate.Open(t.Context(), dsn, pgstate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- db.Cluster().Run(ctx, nil) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for db.Tokens().UseToken(t.Context(), "none", "none", tokens.Token{}.Used) != nil {
		if t.Context().Err() != nil {
			t.Fatal("the node has not joined")
		}
	}
	return db
}

func (n *nodes) open(t *testing.T) state {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), n.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "TRUNCATE properties, property_use, operations, tokens"); err != nil {
		t.Fatal(err)
	}
	return n.first
}

func (n *nodes) reopen(*testing.T) state { return n.second }

// onEach runs a test on each kind of database.
func onEach(t *testing.T, test func(t *testing.T, db database)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, &file{})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, newNodes(t))
	})
}

func TestProperties(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db database) {
		storagetest.PropertySuite{
			New:    func(t *testing.T) deadprops.Store { return db.open(t).Properties() },
			Reopen: func(t *testing.T, _ deadprops.Store) deadprops.Store { return db.reopen(t).Properties() },
		}.Run(t)
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db database) {
		storagetest.HistorySuite{
			New:    func(t *testing.T) history.Store { return db.open(t).History() },
			Reopen: func(t *testing.T, _ history.Store) history.Store { return db.reopen(t).History() },
		}.Run(t)
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db database) {
		storagetest.TokenSuite{
			New:    func(t *testing.T) tokens.Store { return db.open(t).Tokens() },
			Reopen: func(t *testing.T, _ tokens.Store) tokens.Store { return db.reopen(t).Tokens() },
		}.Run(t)
	})
}
