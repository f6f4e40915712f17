package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Bouncer starts PgBouncer in transaction mode and returns the connection string of the
// database of behind it.
func Bouncer(tb testing.TB, of string) string {
	tb.Helper()
	to, err := pgx.ParseConfig(of)
	if err != nil {
		tb.Fatal(err)
	}
	as, own, err := unprivileged()
	if err != nil {
		tb.Fatal(err)
	}
	bouncer, err := exec.LookPath("pgbouncer")
	if err != nil {
		bouncer = "/usr/sbin/pgbouncer" // Other users than root may not have it in PATH.
	}
	// The path of a Unix socket has at most 107 bytes, and PgBouncer's user needs the directory.
	dir, err := os.MkdirTemp("/tmp", "davd-pgb-") //nolint:usetesting // see above
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	config := filepath.Join(dir, "pgbouncer.ini")
	content := fmt.Sprintf("[databases]\n* = host=%s port=%d user=postgres\n[pgbouncer]\nlisten_addr =\nlisten_port = %d\nunix_socket_dir = %s\n"+
		"auth_type = any\npool_mode = transaction\nmax_client_conn = 500\ndefault_pool_size = 20\nignore_startup_parameters = extra_float_digits\n",
		to.Host, to.Port, port, dir)
	if err := errors.Join(os.WriteFile(config, []byte(content), 0o600), own(dir), own(config)); err != nil {
		tb.Fatal(err)
	}
	process, err := guard(as, dir, "TERM", bouncer, "-q", config)
	if err != nil {
		tb.Fatal(err)
	}
	through := At(dir, of)
	err = process.until(func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, through)
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
	if err != nil {
		tb.Fatalf("%v: install Debian's package pgbouncer (.ci/deps does it)", err)
	}
	tb.Cleanup(func() {
		if err := process.end(); err != nil {
			tb.Error(err)
		}
	})
	return through
}
