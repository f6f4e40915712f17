package pgstate

import (
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/storagetest/pgtest"
)

// TestOpenTogether: processes that start at the same time on an empty database make its tables
// once, also through PgBouncer.
func TestOpenTogether(t *testing.T) {
	direct := pgtest.Database(t)
	through := pgtest.Bouncer(t, direct)
	var opening sync.WaitGroup
	for i := range 6 {
		dsn := direct
		if i%2 == 0 {
			dsn = through
		}
		opening.Go(func() {
			db, err := Open(t.Context(), dsn, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
	member(t, direct, Options{})
}

// TestPrepared: statements are prepared unless PgBouncer is between, or the URL says so.
func TestPrepared(t *testing.T) {
	direct := pgtest.Database(t)
	through := pgtest.Bouncer(t, direct)
	for dsn, want := range map[string]pgx.QueryExecMode{
		direct: pgx.QueryExecModeCacheStatement, through: pgx.QueryExecModeCacheDescribe,
		direct + "&default_query_exec_mode=exec":             pgx.QueryExecModeExec,
		through + "&default_query_exec_mode=cache_statement": pgx.QueryExecModeCacheStatement,
	} {
		if got := open(t, dsn, Options{}).pool.Config().ConnConfig.DefaultQueryExecMode; got != want {
			t.Errorf("%s: %v, want %v", dsn, got, want)
		}
	}
}

// TestSessionTimeouts: every transaction has time-outs, with and without PgBouncer.
func TestSessionTimeouts(t *testing.T) {
	direct := pgtest.Database(t)
	for _, dsn := range []string{direct, pgtest.Bouncer(t, direct)} {
		db := member(t, dsn, Options{})
		c, ctx := briefly(t, db, tree("/a"))
		var got string
		err := db.read(ctx, func(rows pgx.Rows) error { return rows.Scan(&got) },
			"SELECT current_setting('lock_timeout') || current_setting('idle_in_transaction_session_timeout')")
		if err != nil || got != "30s30s" {
			t.Errorf("%s: %q, %v", dsn, got, err)
		}
		end(t, c)
	}
}

// TestOpenNewer: the tables of a newer davd are refused, and not changed.
func TestOpenNewer(t *testing.T) {
	dsn := pgtest.Database(t)
	db := open(t, dsn, Options{})
	if _, err := db.exec(t.Context(), "INSERT INTO "+versionTable+" (version_id, is_applied) VALUES (999, TRUE)"); err != nil {
		t.Fatal(err)
	}
	if newer, err := Open(t.Context(), dsn, Options{}); err == nil || !strings.Contains(err.Error(), "newer davd") {
		t.Errorf("Open: %v, %v", newer, err)
	}
}

// TestOpenPassword: no message shows the password of a URL.
func TestOpenPassword(t *testing.T) {
	for _, dsn := range []string{
		"postgres://me:secret@127.0.0.1:1/db", "postgres://me:secret@127.0.0.1:port/db", "postgres://me:secret@/db?sslmode=none",
		"me:secret", "postgres://me:sec%ret@x/db",
	} {
		db, err := Open(t.Context(), dsn, Options{Timing: quick()})
		if err == nil {
			t.Fatalf("%s: opened %v", dsn, db)
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "sec%ret") {
			t.Errorf("the message shows the password: %v", err)
		}
		t.Log(err)
	}
}

func BenchmarkClaim(b *testing.B) {
	db := member(b, pgtest.Database(b), Options{})
	for b.Loop() {
		end(b, claimed(b, db, tree("/a/b/c")))
	}
}
