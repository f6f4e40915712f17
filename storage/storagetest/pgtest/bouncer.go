package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// sharedBouncer starts PgBouncer in front of the shared server. It ends with the process.
var sharedBouncer = sync.OnceValues(func() (dir string, err error) {
	server, err := shared()
	if err != nil {
		return "", err
	}
	return startBouncer(server)
})

// Bouncer returns the connection string of a database of [Database] behind PgBouncer in
// transaction mode.
func Bouncer(tb testing.TB, of string) string {
	tb.Helper()
	dir, err := sharedBouncer()
	if err != nil {
		tb.Fatalf("PgBouncer for tests: %v", err)
	}
	return At(dir, of)
}

// startBouncer starts PgBouncer in front of a server. Its socket is in dir.
func startBouncer(server *Server) (dir string, err error) {
	as, own, err := unprivileged()
	if err != nil {
		return "", err
	}
	bouncer, err := exec.LookPath("pgbouncer")
	if err != nil {
		bouncer = "/usr/sbin/pgbouncer" // Other users than root may not have it in PATH.
	}
	if _, err := os.Stat(bouncer); err != nil {
		return "", fmt.Errorf("%w: install Debian's package pgbouncer (.ci/deps does it)", err)
	}
	if dir, err = SocketDir("davd-pgb-"); err != nil { // PgBouncer's user needs it as well.
		return "", err
	}
	config := filepath.Join(dir, "pgbouncer.ini")
	content := fmt.Sprintf("[databases]\n* = host=%s port=%d user=postgres\n[pgbouncer]\nlisten_addr =\nlisten_port = %d\nunix_socket_dir = %s\n"+
		"auth_type = any\npool_mode = transaction\nmax_client_conn = 1000\ndefault_pool_size = 20\nignore_startup_parameters = extra_float_digits\n",
		server.dir, port, port, dir)
	if err := errors.Join(os.WriteFile(config, []byte(content), 0o600), own(dir), own(config)); err != nil {
		return "", err
	}
	process, err := guard(as, dir, "TERM", bouncer, "-q", config)
	if err != nil {
		return "", err
	}
	return dir, process.until(func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, dsn(dir, "postgres"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
}
