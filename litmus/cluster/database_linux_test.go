package cluster

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/storagetest/pgtest"
)

// databasePort is the port of PostgreSQL.
const databasePort = 5432

// A database is a PostgreSQL server, which the nodes reach by their cables.
type database struct {
	server *pgtest.Server
	dsn    string // through the socket, for the tests themselves
	name   string
}

// newDatabase starts PostgreSQL until the test ends, with more settings. The networks of the nodes need no password.
func newDatabase(t *testing.T, settings ...string) *database {
	t.Helper()
	dir := t.TempDir()
	access := filepath.Join(dir, "access")
	rules := fmt.Sprintf("local all all trust\nhost all all %s.0.0/16 trust\n", linkNetworks[toDatabase])
	if err := os.WriteFile(access, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	for ; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL runs as another user
			t.Fatal(err)
		}
	}
	// A later setting counts.
	server := pgtest.Start(t, append([]string{
		"listen_addresses=*", "hba_file=" + access, "fsync=off", "full_page_writes=off", "shared_preload_libraries=pg_stat_statements",
	}, settings...)...)
	d := &database{server: server, dsn: server.Database(t)}
	of, err := url.Parse(d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	d.name = strings.TrimPrefix(of.Path, "/")
	return d
}

// restart ends the server without a clean shutdown, as a crash would, and starts it again. pause is
// called in between.
func (d *database) restart(t *testing.T, pause func()) {
	t.Helper()
	d.server.Stop(t)
	pause()
	d.server.Restart(t)
}

// url returns the URL of the database for a node.
func (d *database) url(n *node) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable",
		net.JoinHostPort(toDatabase.address(n.number, 1), strconv.Itoa(databasePort)), d.name)
}

// query returns the rows of a query, with | between the columns.
func (d *database) query(sql string) (found []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	connection, err := pgx.Connect(ctx, d.dsn)
	if err != nil {
		return nil, err
	}
	defer connection.Close(ctx)
	rows, err := connection.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		columns := make([]string, len(values))
		for i, value := range values {
			columns[i] = fmt.Sprint(value)
		}
		found = append(found, strings.Join(columns, "|"))
	}
	return found, rows.Err()
}
