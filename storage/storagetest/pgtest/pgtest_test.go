package pgtest

import (
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) }) // The server may have stopped.
	return conn
}

// fill makes the table a with one row.
func fill(t *testing.T, dsn string) {
	t.Helper()
	if _, err := connect(t, dsn).Exec(t.Context(), "CREATE TABLE a AS SELECT 1 AS n"); err != nil {
		t.Fatal(err)
	}
}

// wants checks what a query returns.
func wants(t *testing.T, dsn, query string, want int) {
	t.Helper()
	var got int
	if err := connect(t, dsn).QueryRow(t.Context(), query, pgx.QueryExecModeExec).Scan(&got); err != nil || got != want {
		t.Errorf("%s: %d, %v, want %d", query, got, err, want)
	}
}

func TestDatabase(t *testing.T) {
	first, second := Database(t), Database(t)
	fill(t, first)
	wants(t, first, "SELECT n FROM a", 1)
	wants(t, second, "SELECT count(*) FROM pg_tables WHERE tablename = 'a'", 0)
}

func TestBouncer(t *testing.T) {
	wants(t, Bouncer(t, Database(t)), "SELECT 7::int", 7)
}

func TestRestart(t *testing.T) {
	server := Start(t)
	dsn := server.Database(t)
	fill(t, dsn)
	server.Restart(t)
	wants(t, dsn, "SELECT n FROM a", 1)
	server.Stop(t)
	if _, err := pgx.Connect(t.Context(), dsn); err == nil {
		t.Error("the server has not stopped")
	}
}

// TestTempDir checks that the second directory is used where the first one can't be.
func TestTempDir(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, c := range []struct{ first, want string }{{first, first}, {filepath.Join(first, "missing"), second}} {
		if dir, err := tempDir("a-", c.first, second); err != nil || filepath.Dir(dir) != c.want {
			t.Errorf("%s, %v; want it in %s", dir, err, c.want)
		}
	}
	if dir, err := tempDir("a-", filepath.Join(first, "missing")); err == nil {
		t.Errorf("%s was made", dir)
	}
}
