package sqlstate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/davd/davd/storage/internal/tables"
)

// Backup writes a copy of the database at path into the new file to, with access only for the
// user of the process. The copy is the database at one moment, and is checked. used says that
// another process has the database open: it may go on using it. Otherwise nobody can open the
// database until Backup returns.
func Backup(ctx context.Context, path, to string, used bool) error {
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return fmt.Errorf("%s: %w: name a new file", to, err)
	}
	return readBeside(path, used, func(db *sql.DB) error {
		if err := inspectContent(ctx, db, migrations); err != nil {
			return opening(path, err)
		}
		return replaceFile(to, func(fresh string) error {
			// The result has no log, whatever mode the database has.
			if _, err := db.ExecContext(ctx, "VACUUM INTO $1", fresh); err != nil {
				return full(err)
			}
			return inspect(ctx, fresh, migrations)
		})
	})
}

// CheckWritable returns an error if no change can be stored now. It makes a change that means
// nothing and is on the disk when it returns.
func (db *DB) CheckWritable(ctx context.Context) error {
	err := db.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE "+versionTable+" SET version = version")
		return err
	})
	return failed("writing the state", err)
}

// Report is the result of [Check].
type Report = tables.Report

// maxProblems limits the problems that a check names.
const maxProblems = 100

// Check reads the whole database at path and reports what is wrong with it: pages and indexes,
// tables, and rows that contradict each other. It changes nothing. used is as for [Backup]. The
// error says why the database can't be checked.
func Check(ctx context.Context, path string, used bool) (Report, error) {
	r := Report{Problems: []string{}}
	err := readBeside(path, used, func(db *sql.DB) error { return check(ctx, db, &r) })
	if errors.Is(err, errDamaged) || damaged(err) {
		r.Problems = append(r.Problems, err.Error())
		err = nil
	}
	return r, err
}

// readBeside calls do with the database at path, which it can't change.
func readBeside(path string, used bool, do func(*sql.DB) error) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if !used {
		owner, err := own(path)
		if err != nil {
			return err
		}
		defer func() { _ = owner.release() }()
	}
	logged, err := hasLog(path + "-wal")
	if err == nil {
		err = inspectHeader(path, logged || used)
	}
	if err != nil {
		return opening(path, err)
	}
	access := "immutable=1" // creates no file beside it
	if logged || used {
		access = "mode=ro"
	}
	db, err := sql.Open("sqlite", dataSource(path, access))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	return errors.Join(do(db), db.Close())
}

func check(ctx context.Context, db *sql.DB, r *Report) (err error) {
	if r.Version, err = version(ctx, db, migrations); err != nil {
		return err
	}
	err = each(ctx, db, func(rows tables.Rows) error {
		var result string
		err := rows.Scan(&result)
		if result != "ok" {
			r.Problems = append(r.Problems, result)
		}
		return err
	}, fmt.Sprintf("PRAGMA integrity_check(%d)", maxProblems))
	if err != nil || r.Version < len(migrations) || len(r.Problems) > 0 {
		return err // an older davd has other tables, which the next start changes
	}
	for _, c := range []struct {
		table string
		count *int64
	}{{"locks", &r.Locks}, {"properties", &r.Properties}, {"operations", &r.Operations}, {"tokens", &r.Tokens}, {"journal", &r.Unfinished}} {
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+c.table).Scan(c.count); err != nil {
			return err
		}
	}
	for _, rule := range rules {
		if err := checkRule(ctx, db, r, rule.query, rule.says); err != nil {
			return err
		}
	}
	return nil
}

func checkRule(ctx context.Context, db *sql.DB, r *Report, query, says string) error {
	return each(ctx, db, func(rows tables.Rows) error {
		var what string
		err := rows.Scan(&what)
		r.Problems = append(r.Problems, fmt.Sprintf(says, tables.Untext(what)))
		return err
	}, fmt.Sprintf("%s LIMIT %d", query, maxProblems))
}

// valid is the condition that a lock has not expired.
func valid(lock string) string {
	return "(" + lock + ".expires IS NULL OR " + lock + ".expires > unixepoch() * 1000000)"
}

// rules find rows that contradict others or themselves. A query returns what the problem is about.
var rules = []struct{ query, says string }{
	{
		"SELECT owner FROM (SELECT owner, sum" + tables.PropertySize + " AS bytes FROM properties GROUP BY owner EXCEPT SELECT owner, bytes FROM property_use)",
		"the space for properties of the user %q is counted wrongly",
	},
	{
		"SELECT owner FROM property_use WHERE bytes <> 0 AND owner NOT IN (SELECT owner FROM properties)",
		"the user %q has no properties but space is counted for them",
	},
	{
		"SELECT name FROM properties WHERE substr(name, 1, 1) <> '/' OR substr(name, -1) <> '/'",
		"a property belongs to %q, which is no name of a resource",
	},
	{
		"SELECT root FROM locks WHERE substr(root, 1, 1) <> '/' OR token = '' OR duration < -1",
		"the lock on %q is not valid",
	},
	{
		"SELECT a.root FROM locks a JOIN locks b ON a.root = b.root AND a.seq < b.seq WHERE NOT (a.shared AND b.shared) AND " + valid("a") + " AND " + valid("b"),
		"%q has two locks, of which one is exclusive",
	},
	{
		"SELECT id FROM journal WHERE length(record) = 0",
		"the record of the unfinished operation %q is empty",
	},
	{
		"SELECT id FROM operations WHERE NOT json_valid(CAST(record AS TEXT)) OR NOT json_valid(CAST(failures AS TEXT))",
		"the record of the operation %q can't be read",
	},
	{
		"SELECT name FROM tokens WHERE owner = '' OR length(hash) = 0",
		"the application password %q has no user or no hash",
	},
}
