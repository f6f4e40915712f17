package pgstate

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// oldest is the oldest version of PostgreSQL that davd supports, as server_version_num has it.
	oldest = 130000
	// versionTable has the version of the tables.
	versionTable = "davd_state"
	// migrationLatch is the key of the advisory lock under which tables are upgraded.
	migrationLatch = 0x64617664_73746174
)

// prepare checks the server and upgrades the tables. direct says that connections lead to the server,
// and not to a pooler.
func prepare(ctx context.Context, config *pgxpool.Config) (direct bool, err error) {
	db := stdlib.OpenDB(*config.ConnConfig)
	defer func() { err = errors.Join(err, db.Close()) }()
	var server int
	if err := db.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int").Scan(&server); err != nil {
		return false, err
	}
	if server < oldest {
		return false, fmt.Errorf("%w: it has version %d.%d", errOldServer, server/10000, server%10000)
	}
	if direct, err = isDirect(ctx, db); err != nil {
		return false, err
	}
	return direct, migrate(ctx, db)
}

// isDirect reports whether a connection is served by the process that has accepted it. A pooler such as
// PgBouncer tells its clients a number of its own, with which they can cancel a statement.
func isDirect(ctx context.Context, db *sql.DB) (direct bool, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var pid uint32
	if err := conn.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return false, err
	}
	err = conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		direct = ok && c.Conn().PgConn().PID() == pid
		return nil
	})
	return direct, err
}

// migrate upgrades the tables to the newest version. One process at a time does it: the others
// wait for a lock. It belongs to a transaction, because the locks of a session, which goose would
// use, don't work through PgBouncer.
func migrate(ctx context.Context, db *sql.DB) (err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	known := sources[len(sources)-1].Version
	if v, err := version(ctx, db); err != nil || v == known {
		return err
	} else if v > known {
		return fmt.Errorf("%w: its version is %d, this davd knows up to %d", errNewer, v, known)
	}
	turn, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, turn.Rollback()) }()
	if _, err := turn.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", migrationLatch); err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// version returns the version of the tables, or 0 for a database without them.
func version(ctx context.Context, db *sql.DB) (version int64, err error) {
	var exists bool
	if err := db.QueryRowContext(ctx, "SELECT to_regclass($1) IS NOT NULL", versionTable).Scan(&exists); err != nil || !exists {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+versionTable).Scan(&version)
	return version, err
}
