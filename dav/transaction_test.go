package dav_test

import (
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/mount"
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

// TestNamesUndone: the database ends the connection of a transaction in the middle of a change. The
// answer is a 503, nothing has changed, nothing is left over, and the same request succeeds
// afterwards.
func TestNamesUndone(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	h := &dav.Handler{Principal: byHeader, OnePerson: true}
	db := openNode(t, dsn, "a", h)
	h.State = db
	s := serve(t, newObjects(t, db, db, t.TempDir()), h, garden())
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	was := s.tree()
	for _, c := range []struct {
		at, method, target, body string
		success                  int
		fields                   []string
	}{
		// With a condition, a PUT has its transaction before it calls the storage.
		{"commit", "PUT", "/f", "other", 204, []string{"If-Match: *"}},
		{"commit", "PUT", "/new", "other", 201, []string{"If-None-Match: *"}},
		{"mkdir", "MKCOL", "/dir/", "", 201, nil},
		{"stat", "PROPPATCH", "/f", patchBody, 207, nil},
		{"open", "LOCK", "/locked", lockBody, 201, nil},
		{"rename", "MOVE", "/c/", "", 201, []string{"Destination: /moved/"}},
		{"rename", "COPY", "/moved/", "", 201, []string{"Destination: /copied/"}},
		{"rename", "COPY", "/copied/", "", 204, []string{"Destination: /moved/"}},
		{"removetree", "DELETE", "/copied/", "", 204, nil},
	} {
		ended := 0
		s.before = func(op, _ string) error {
			if op != c.at || ended > 0 {
				return nil
			}
			return conn.QueryRow(t.Context(), `SELECT count(*) FROM (SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
				WHERE datname = current_database() AND state LIKE 'idle in transaction%') AS all_of_them`).Scan(&ended)
		}
		s.sends(503, c.method, c.target, c.body, c.fields...)
		s.before = nil
		if ended != 1 {
			t.Fatalf("%s: %d connections were ended", c.method, ended)
		}
		if is := s.tree(); !maps.Equal(is, was) {
			t.Errorf("%s %s has changed\n%q\nto\n%q", c.method, c.target, was, is)
		}
		s.sends(c.success, c.method, c.target, c.body, c.fields...)
		was = s.tree()
	}
	for name := range was {
		if strings.Contains(name, "/.davd-") {
			t.Errorf("%s is left", name)
		}
	}
}

// TestNamesBetweenShares: trees go from one share to another, whether its names are in the database or
// not.
func TestNamesBetweenShares(t *testing.T) {
	t.Parallel()
	h := &dav.Handler{Principal: byHeader, OnePerson: true}
	db := openNode(t, pgtest.Database(t)+"&pool_max_conns=1", "a", h)
	stage := func() string { return cluster.StageName(db.Cluster().Epoch()) }
	directory, err := local.OpenWith(t.TempDir(), local.Options{Stage: stage})
	if err != nil {
		t.Fatal(err)
	}
	open := func(fsys storage.FS) func(context.Context, string) (storage.FS, error) {
		return func(context.Context, string) (storage.FS, error) { return fsys, nil }
	}
	fsys, err := mount.New(
		mount.Share{ID: "one", At: "/one", Open: open(newObjects(t, db, db, t.TempDir()))},
		mount.Share{ID: "two", At: "/two", Open: open(newObjects(t, db, db, t.TempDir()))},
		mount.Share{ID: "dir", At: "/dir", Open: open(directory)},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	h.State = fsys.State(db)
	s := serve(t, fsys, h, layout{"/one/t/f": "content", "/one/t/d/g": "more"})
	s.sends(207, "PROPPATCH", "/one/t/f", patchBody)
	for _, step := range [][2]string{{"/one/t/", "/two/t/"}, {"/two/t/", "/dir/t/"}, {"/dir/t/", "/one/u/"}, {"/one/u/", "/one/t/"}} {
		s.wants(201, "COPY", step[0], "Destination: "+strings.TrimSuffix(step[1], "/")+"-copy/")
		s.wants(201, "MOVE", step[0], "Destination: "+step[1])
		if got := s.do("PROPFIND", step[1]+"f", "Depth: 0"); !strings.Contains(got.body, ">v<") {
			t.Errorf("%s has lost its property: %s", step[1], got.body)
		}
		s.wants(404, "PROPFIND", step[0])
		s.wants(204, "DELETE", strings.TrimSuffix(step[1], "/")+"-copy/")
	}
	s.holds(layout{"/one/t/f": "content", "/one/t/d/g": "more", "/two/": "", "/dir/": ""})
}
