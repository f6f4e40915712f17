package sqlstate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/davd/davd/storage/internal/tables"
)

// migration upgrades a database from the previous version to its own version, which is
// its index in migrations plus one. A released migration never changes.
type migration struct {
	tables     []string // the tables that it adds
	statements []string
}

// countUse fills the empty table property_use.
const countUse = "INSERT INTO property_use (owner, bytes) SELECT owner, sum" + tables.PropertySize + " FROM properties GROUP BY owner"

// versionTable has one row, which holds the version.
const versionTable = "davd_state"

var migrations = []migration{{
	tables: []string{versionTable, "properties", "locks"},
	statements: []string{
		"CREATE TABLE " + versionTable + " (version INTEGER NOT NULL)",
		"INSERT INTO " + versionTable + " (version) VALUES (0)",
		// Dead properties. text encodes all columns except value.
		`CREATE TABLE properties (
			name  TEXT NOT NULL,
			space TEXT NOT NULL,
			local TEXT NOT NULL,
			lang  TEXT NOT NULL,
			value BLOB NOT NULL,
			PRIMARY KEY (name, space, local)
		) WITHOUT ROWID`,
		// Locks. seq is the order of creation. duration is in nanoseconds, or -1 for
		// infinite. expires is in microseconds since 1970, or NULL for never.
		`CREATE TABLE locks (
			seq        INTEGER PRIMARY KEY,
			token      TEXT NOT NULL UNIQUE,
			root       TEXT NOT NULL,
			zero_depth BOOLEAN NOT NULL,
			shared     BOOLEAN NOT NULL,
			owner      BLOB NOT NULL,
			principal  TEXT NOT NULL,
			duration   BIGINT NOT NULL,
			expires    BIGINT
		)`,
	},
}, {
	tables: []string{"journal"},
	statements: []string{
		// Running operations. seq is the order they began in. Whoever writes a
		// record defines its content.
		`CREATE TABLE journal (
			seq    INTEGER PRIMARY KEY,
			id     TEXT NOT NULL UNIQUE,
			record BLOB NOT NULL
		)`,
	},
}, {
	tables: []string{"operations"},
	statements: []string{
		// The history of operations. seq is their order of addition. ended
		// is in microseconds since 1970, or NULL while the operation runs. record and
		// failures are JSON. failures is the last column, so that a list need not read
		// it.
		`CREATE TABLE operations (
			seq       INTEGER PRIMARY KEY,
			id        TEXT NOT NULL UNIQUE,
			principal TEXT NOT NULL,
			ended     BIGINT,
			record    BLOB NOT NULL,
			failures  BLOB NOT NULL
		)`,
	},
}, {
	statements: []string{
		// When a lock was created, in microseconds since 1970; NULL for older locks.
		"ALTER TABLE locks ADD COLUMN created BIGINT",
	},
}, {
	tables: []string{"property_use"},
	statements: []string{
		// The owner of a property is the principal that has set it. property_use holds
		// the number of bytes of each owner, by PropertySize. Older properties have the
		// owner "".
		"ALTER TABLE properties ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
		`CREATE TABLE property_use (
			owner TEXT NOT NULL PRIMARY KEY,
			bytes BIGINT NOT NULL
		) WITHOUT ROWID`,
		countUse,
	},
}, {
	tables: []string{"tokens"},
	statements: []string{
		// Application passwords. owner is the user. The times are in microseconds since
		// 1970; expires and used may be NULL.
		`CREATE TABLE tokens (
			owner     TEXT NOT NULL,
			name      TEXT NOT NULL,
			hash      BLOB NOT NULL,
			read_only BOOLEAN NOT NULL,
			created   BIGINT NOT NULL,
			expires   BIGINT,
			used      BIGINT,
			PRIMARY KEY (owner, name)
		) WITHOUT ROWID`,
	},
}, {
	tables: []string{"shares"},
	statements: []string{
		// The identity of the storage that a share had when it was last used.
		`CREATE TABLE shares (
			id       TEXT NOT NULL PRIMARY KEY,
			identity TEXT NOT NULL
		) WITHOUT ROWID`,
	},
}, {
	tables: []string{"uploads"},
	statements: []string{
		// Uploads in parts. session is JSON.
		`CREATE TABLE uploads (
			id      TEXT NOT NULL PRIMARY KEY,
			session BLOB NOT NULL
		) WITHOUT ROWID`,
	},
}, {
	tables:     []string{"nodes", "volumes", "objects", "entries", "loose", "volume_use", "copying"},
	statements: nameTables,
}}

// queryer is a *sql.DB or a *sql.Tx.
type queryer interface {
	tables.Standard
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each calls row for each row that a query finds, until row fails.
func each(ctx context.Context, db queryer, row func(tables.Rows) error, query string) error {
	return tables.Each(ctx, tables.SQL{Standard: db}, row, query)
}

// listTables returns the names of all tables.
func listTables(ctx context.Context, db queryer) (names []string, err error) {
	err = each(ctx, db, func(rows tables.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	}, "SELECT name FROM sqlite_schema WHERE type <> 'index' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
	return names, err
}

// version returns the version of the database, or 0 for an empty one. It returns an
// error if the tables are not those that one of migrations has left.
func version(ctx context.Context, db queryer, migrations []migration) (int, error) {
	tables, err := listTables(ctx, db)
	if err != nil || len(tables) == 0 {
		return 0, err
	}
	if !slices.Contains(tables, versionTable) {
		return 0, fmt.Errorf("%w: it has the table %q", errForeign, tables[0])
	}
	var version int
	if err := db.QueryRowContext(ctx, "SELECT version FROM "+versionTable).Scan(&version); err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("%w: its version: %w", errDamaged, err)
		}
		return 0, err
	}
	if version < 1 {
		return 0, fmt.Errorf("%w: its version is %d", errDamaged, version)
	}
	if version > len(migrations) {
		return 0, fmt.Errorf("%w: its version is %d, this davd knows up to %d", errNewer, version, len(migrations))
	}
	for i, m := range migrations {
		for _, table := range m.tables {
			at := slices.Index(tables, table)
			if at >= 0 {
				tables = slices.Delete(tables, at, at+1)
			}
			if at < 0 && i < version {
				return 0, fmt.Errorf("%w: the table %q is missing", errDamaged, table)
			}
		}
	}
	if len(tables) > 0 {
		return 0, fmt.Errorf("%w: it has the table %q", errForeign, tables[0])
	}
	return version, nil
}

// migrate upgrades the database to the newest version.
func migrate(ctx context.Context, tx *sql.Tx, migrations []migration) error {
	from, err := version(ctx, tx, migrations)
	if err != nil || from == len(migrations) {
		return err
	}
	for i, m := range migrations[from:] {
		for _, statement := range m.statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("upgrading it to version %d: %w", from+i+1, err)
			}
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE "+versionTable+" SET version = $1", len(migrations))
	return err
}
