package pgstate

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/cluster"
)

// quick are times for tests. A lease is long, so that a slow machine loses none.
func quick() Timing {
	return Timing{
		Renew: 50 * time.Millisecond, RenewTimeout: 20 * time.Second, Lease: time.Minute, Missed: 1 << 30, Silent: 1 << 30, Settle: 50 * time.Millisecond,
		Claim: 700 * time.Millisecond, Statement: time.Minute, LockWait: 30 * time.Second, Idle: 30 * time.Second, Connect: 20 * time.Second,
	}
}

// open opens a database, which is closed at the end of the test.
func open(tb testing.TB, dsn string, o Options) *DB {
	tb.Helper()
	if o.Timing == (Timing{}) {
		o.Timing = quick()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(tb.Output(), nil))
	}
	db, err := Open(tb.Context(), dsn, o)
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

// run runs the node of db until stop is called, at the latest at the end of the test. It is a
// member when run returns.
func run(tb testing.TB, db *DB, settle settler) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	joined := make(chan struct{})
	go func() {
		ended <- db.Cluster().Run(ctx, settle)
	}()
	go func() {
		defer close(joined)
		for ctx.Err() == nil && db.member.Load() == nil {
			_ = pause(ctx, time.Millisecond)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
	tb.Cleanup(stop)
	<-joined
	return stop
}

// member opens a database as a running node.
func member(tb testing.TB, dsn string, o Options) *DB {
	tb.Helper()
	db := open(tb, dsn, o)
	run(tb, db, nil)
	return db
}

// count returns the number that a query finds.
func count(tb testing.TB, db *DB, query string, args ...any) (n int) {
	tb.Helper()
	if err := db.read(tb.Context(), func(rows pgx.Rows) error { return rows.Scan(&n) }, query, args...); err != nil {
		tb.Fatal(err)
	}
	return n
}

// claimed claims scopes.
func claimed(tb testing.TB, db *DB, w cluster.Work) cluster.Claim {
	tb.Helper()
	c, err := db.Cluster().Claim(tb.Context(), w)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func end(tb testing.TB, c cluster.Claim) {
	tb.Helper()
	if err := c.End(tb.Context(), nil); err != nil {
		tb.Errorf("End: %v", err)
	}
}

func tree(names ...string) cluster.Work {
	var w cluster.Work
	for _, name := range names {
		w.Scopes = append(w.Scopes, cluster.Scope{Name: name, Tree: true})
	}
	return w
}
