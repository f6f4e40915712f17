package names_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/pgstate"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// state is the database of a test.
type state interface {
	names.Database
	Close() error
}

// databases are the kinds of databases. open opens the same database each time for the same place.
var databases = []struct {
	name  string
	place func(t testing.TB) string
	open  func(t testing.TB, place string) state
}{
	{"SQLite", func(t testing.TB) string { return filepath.Join(t.TempDir(), "names.db") }, openSQLite},
	{"PostgreSQL", pgtest.Database, openPostgreSQL},
}

func openSQLite(tb testing.TB, place string) state {
	tb.Helper()
	db, err := sqlstate.Open(tb.Context(), place)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// timing is for slow machines, which must not lose their lease.
func timing() pgstate.Timing {
	return pgstate.Timing{Renew: 50 * time.Millisecond, RenewTimeout: 20 * time.Second, Lease: time.Minute, Missed: 1 << 30, Silent: 1 << 30, Statement: time.Minute, LockWait: 30 * time.Second, Idle: 30 * time.Second}
}

// openPostgreSQL opens the database as a running node.
func openPostgreSQL(tb testing.TB, dsn string) state {
	tb.Helper()
	return openNode(tb, dsn, timing())
}

// openNode is openPostgreSQL with other times.
func openNode(tb testing.TB, dsn string, t pgstate.Timing) state {
	tb.Helper()
	db, err := pgstate.Open(tb.Context(), dsn, pgstate.Options{Log: slog.New(slog.DiscardHandler), Name: "test", Timing: t})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- db.Cluster().Run(ctx, func(context.Context, []cluster.Adopted) {}) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	for db.Cluster().Epoch() == "" {
		time.Sleep(time.Millisecond)
	}
	return db
}

// eachDatabase runs a test with an empty database of each kind.
func eachDatabase(t *testing.T, test func(t *testing.T, db state)) {
	t.Helper()
	for _, kind := range databases {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			test(t, kind.open(t, kind.place(t)))
		})
	}
}

// each runs a test with an empty name space in each kind of database.
func each(t *testing.T, test func(t *testing.T, s *names.Space)) {
	t.Helper()
	eachDatabase(t, func(t *testing.T, db state) { test(t, space(t, db)) })
}

// space opens the name space "store" in a database.
func space(tb testing.TB, db names.Database) *names.Space {
	tb.Helper()
	s, err := names.Open(tb.Context(), names.Options{Database: db, Identity: "store"})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
