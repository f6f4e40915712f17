// Package pgtest runs PostgreSQL for tests. The programs are those of Debian's package
// postgresql; .ci/deps installs them. Without them, tests fail.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a server may take to start or to stop.
const patience = time.Minute

// shared starts the server that all tests of a test binary share. It ends with the process.
// It writes nothing durably.
var shared = sync.OnceValues(func() (*Server, error) { return start("fsync=off", "full_page_writes=off", "synchronous_commit=off") })

// Database returns the connection string of a new empty database on a server that all tests
// of this test binary share. The database is removed at the end of the test.
func Database(tb testing.TB) string {
	tb.Helper()
	server, err := shared()
	if err != nil {
		tb.Fatalf("PostgreSQL for tests: %v", err)
	}
	return server.Database(tb)
}

// Database returns the connection string of a new empty database, which is removed at the end
// of the test if the server is running then.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := s.execute("CREATE DATABASE " + name); err != nil {
		tb.Fatalf("PostgreSQL for tests: %v", err)
	}
	tb.Cleanup(func() {
		// The server may have been stopped by the test.
		_ = s.execute("DROP DATABASE " + name + " WITH (FORCE)")
	})
	return s.dsn(name)
}

// execute runs a statement in the database postgres.
func (s *Server) execute(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// dsn returns the connection string of a database on the server.
func (s *Server) dsn(database string) string { return dsn(s.dir, database) }

// dsn returns the connection string of a database behind the socket in dir.
func dsn(dir, database string) string {
	return fmt.Sprintf("postgres://postgres@/%s?host=%s&port=%d", database, url.QueryEscape(dir), port)
}

// Socket returns the address of the server's Unix socket.
func (s *Server) Socket() string { return Socket(s.dir) }

// Socket returns the address of the Unix socket of a server whose sockets are in dir.
func Socket(dir string) string { return fmt.Sprintf("%s/.s.PGSQL.%d", dir, port) }

// At returns the connection string for the same database through the Unix socket in dir.
func At(dir, of string) string {
	parsed, err := url.Parse(of)
	if err != nil {
		panic(err)
	}
	return dsn(dir, strings.TrimPrefix(parsed.Path, "/"))
}

// port is only a part of the name of the Unix socket.
const port = 5432
