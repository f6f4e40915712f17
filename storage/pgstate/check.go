package pgstate

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/internal/tables"
)

// Report is the result of [Check].
type Report = tables.Report

// maxProblems limits the problems that a check names for each rule.
const maxProblems = 100

// rules find rows that contradict others or themselves. A query returns what the problem is about.
var rules = []struct{ query, says string }{ //nolint:gochecknoglobals // it is constant
	{
		`SELECT owner FROM (SELECT owner, sum` + tables.PropertySize + ` AS bytes FROM properties GROUP BY owner) AS counted
			FULL JOIN property_use USING (owner) WHERE counted.bytes IS DISTINCT FROM property_use.bytes AND coalesce(counted.bytes, property_use.bytes) <> 0`,
		"the space for properties of the user %q is counted wrongly",
	},
	{
		"SELECT name FROM properties WHERE left(name, 1) <> '/' OR right(name, 1) <> '/'",
		"a property belongs to %q, which is no name of a resource",
	},
	{
		"SELECT root FROM locks WHERE left(root, 1) <> '/' OR token = '' OR duration < -1",
		"the lock on %q is not valid",
	},
	{
		`SELECT a.root FROM locks a JOIN locks b ON substr(a.root, 1, 500) = substr(b.root, 1, 500) AND a.root = b.root AND a.seq < b.seq
			WHERE NOT (a.shared AND b.shared) AND (a.expires IS NULL OR a.expires > clock_timestamp()) AND (b.expires IS NULL OR b.expires > clock_timestamp())`,
		"%q has two locks, of which one is exclusive",
	},
	{
		"SELECT id FROM work WHERE octet_length(record) = 0",
		"the record of the unfinished operation %q is empty",
	},
	{
		"SELECT name FROM tokens WHERE owner = '' OR octet_length(hash) = 0",
		"the application password %q has no user or no hash",
	},
}

// errNoTables is returned for a database without tables.
var errNoTables = errors.New("davd has not used this database yet")

// Check reads the state in the database dsn and reports rows that contradict each other. It changes
// nothing. Nodes may be using the database. (Damaged files and indexes are PostgreSQL's subject: see
// pg_amcheck.) The error says why the database can't be checked.
func Check(ctx context.Context, dsn string) (r Report, err error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return r, badURL(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // PgBouncer needs no more
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return r, opening(config, err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	r.Problems = []string{}
	// One snapshot, so that changes under way don't look like contradictions.
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return check(ctx, tx, &r)
	})
	return r, opening(config, err)
}

func check(ctx context.Context, tx pgx.Tx, r *Report) error {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", versionTable).Scan(&exists); err != nil {
		return err
	} else if !exists {
		return errNoTables
	}
	err := tx.QueryRow(ctx, `SELECT (SELECT max(version_id)::BIGINT FROM `+versionTable+`), (SELECT count(*) FROM locks WHERE expires IS NULL OR expires > clock_timestamp()),
		(SELECT count(*) FROM properties), (SELECT count(*) FROM operations), (SELECT count(*) FROM tokens), (SELECT count(*) FROM work)`).
		Scan(&r.Version, &r.Locks, &r.Properties, &r.Operations, &r.Tokens, &r.Unfinished)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		rows, err := tx.Query(ctx, fmt.Sprintf("%s LIMIT %d", rule.query, maxProblems))
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, what := range found {
			r.Problems = append(r.Problems, fmt.Sprintf(rule.says, tables.Untext(what)))
		}
	}
	return nil
}
