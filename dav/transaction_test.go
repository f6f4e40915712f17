package dav_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/blobs/dirblobs"
	objectnames "github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/pgstate"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// startNames starts a server for each node, on one PostgreSQL database with state and names, and
// one directory with objects. Each has the same first content. Each server has one connection for its
// requests: one that took a second one while it holds the first would wait forever.
func startNames(t *testing.T, l layout, nodes ...string) []*share {
	t.Helper()
	dsn, objects := pgtest.Database(t), t.TempDir()
	shares := make([]*share, len(nodes))
	for i, node := range nodes {
		h := &dav.Handler{Principal: byHeader, OnePerson: true}
		db := openNode(t, dsn+"&pool_max_conns=1", node, h)
		h.State = db
		shares[i] = serve(t, newObjects(t, db, db, objects), h, l)
		l = layout{}
	}
	return shares
}

// serveObjects serves l from a directory of objects, with names and state in SQLite.
func serveObjects(t *testing.T, l layout) *share {
	t.Helper()
	db, err := sqlstate.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return serve(t, newObjects(t, db, db, t.TempDir()), &dav.Handler{State: db}, l)
}

// newObjects returns a storage with names in db and objects in a directory.
func newObjects(t *testing.T, db objectnames.Database, state any, dir string) *objectfs.FS {
	t.Helper()
	store, err := dirblobs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	space, err := objectnames.Open(t.Context(), objectnames.Options{Database: db, Identity: store.Identity()})
	if err != nil {
		t.Fatal(err)
	}
	return objectfs.New(objectfs.Options{Names: space, Blobs: store, State: state})
}

// openNode opens the state of h as a running node.
func openNode(t *testing.T, dsn, name string, h *dav.Handler) *pgstate.DB {
	t.Helper()
	db, err := pgstate.Open(t.Context(), dsn, pgstate.Options{Name: name, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- db.Cluster().Run(ctx, func(ctx context.Context, works []cluster.Adopted) { h.TakeOver(ctx, works) })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for db.Cluster().Epoch() == "" {
		runtime.Gosched()
	}
	return db
}

// TestNames: each change through one server is there for the next request to the other one.
func TestNames(t *testing.T) {
	t.Parallel()
	servers := startNames(t, garden(), "a", "b")
	a, b := servers[0], servers[1]
	a.sends(201, "PUT", "/new", "one")
	b.sends(204, "PUT", "/new", strings.Repeat("two", 50_000))
	if got := a.do("GET", "/new"); len(got.body) != 150_000 {
		t.Errorf("it has %d bytes", len(got.body))
	}
	a.wants(201, "MKCOL", "/d/")
	b.wants(405, "MKCOL", "/d/")
	b.wants(201, "MOVE", "/new", "Destination: /d/new")
	a.wants(404, "GET", "/new")
	a.sends(207, "PROPPATCH", "/d/new", patchBody)
	if got := b.do("PROPFIND", "/d/new", "Depth: 0"); !strings.Contains(got.body, ">v<") {
		t.Errorf("the property is missing: %s", got.body)
	}
	b.wants(201, "COPY", "/d/", "Destination: /e/")
	if got := a.do("PROPFIND", "/e/new", "Depth: 0"); !strings.Contains(got.body, ">v<") {
		t.Errorf("the property of the copy is missing: %s", got.body)
	}
	a.wants(204, "COPY", "/c/", "Destination: /e/")
	a.wants(204, "MOVE", "/e/", "Destination: /d/")
	b.wants(200, "GET", "/d/m")
	b.wants(204, "DELETE", "/d/")
	a.wants(404, "DELETE", "/d/")
	a.sends(409, "PUT", "/d/x", "x")
	b.wants(404, "PROPFIND", "/d/")
	a.holds(garden())
}

// TestNamesLocks: a lock binds the other server at its very next request, and follows a MOVE and a
// DELETE.
func TestNamesLocks(t *testing.T) {
	t.Parallel()
	servers := startNames(t, garden(), "a", "b")
	a, b := servers[0], servers[1]
	for _, at := range []string{"/c/m", "/c/new"} {
		token := a.lock(at)
		b.sends(423, "PUT", at, "x")
		b.sends(423, "LOCK", at, lockBody)
		b.failures(b.do("DELETE", "/c/"), map[string]int{at: 423})
		b.sends(204, "PUT", at, "x", "If: (<"+token+">)")
		b.wants(204, "UNLOCK", at, "Lock-Token: <"+token+">")
		a.sends(204, "PUT", at, "y")
	}
	token := b.lock("/c/")
	a.wants(423, "MKCOL", "/c/more/")
	a.wants(201, "MKCOL", "/c/more/", "If: </c/> (<"+token+">)")
	a.wants(204, "DELETE", "/c/", "If: </c/> (<"+token+">)")
	b.wants(201, "MKCOL", "/c/")
	a.sends(201, "PUT", "/c/again", "x")
}
