package names

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/davd/davd/storage/internal/tables"
)

var (
	_ Store      = (*Space)(nil)
	_ Collecting = (*Space)(nil)
)

// text returns keys as an argument, without duplicates and in order, so that transactions that lock
// the same objects don't wait for each other in a circle.
func text(keys []string) string {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	return tables.Array(keys, tables.Text)
}

// loosen notes that objects have lost a reference, perhaps the last one. The row is written even if
// it exists: the collector may be removing it, because it has still seen the reference.
func (s *Space) loosen(ctx context.Context, tx tables.Tx, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	return tables.Later(ctx, tx, "INSERT INTO loose (key, volume, since) SELECT value, $2, CAST($3 AS BIGINT) FROM "+s.sql.array("$1")+" a WHERE TRUE"+
		" ON CONFLICT (key) DO UPDATE SET since = excluded.since", text(keys), s.id, nanoseconds(time.Now()))
}

// list returns the texts that a query finds.
func list(ctx context.Context, db tables.Queryer, query string, args ...any) (all []string, err error) {
	err = tables.Each(ctx, db, func(rows tables.Rows) error {
		var one string
		err := rows.Scan(&one)
		all = append(all, one)
		return err
	}, query, args...)
	return all, err
}

// Sweep implements [Collecting].
func (s *Space) Sweep(ctx context.Context, limit int) (n int, err error) {
	err = s.change(ctx, true, func(ctx context.Context, tx tables.Tx) (err error) {
		n, err = s.sweep(ctx, tx, limit)
		return err
	})
	return n, s.failed("sweep", "/", err)
}

// removed is what Sweep has removed.
type removed struct {
	entries int
	keys    []string
	bytes   int64
}

// remove runs a statement that removes entries and returns their keys and sizes.
func (r *removed) remove(ctx context.Context, tx tables.Tx, statement string, args ...any) error {
	return tables.Each(ctx, tx, func(rows tables.Rows) error {
		var (
			key  string
			size int64
		)
		if err := rows.Scan(&key, &size); err != nil {
			return err
		}
		r.entries++
		r.bytes += size
		if key != "" {
			r.keys = append(r.keys, key)
		}
		return nil
	}, statement+" RETURNING coalesce(blob, ''), size", args...)
}

// sweep removes files, and collections without members, from the trash. The members of other
// collections there come into the trash, except for files, which are removed at once.
func (s *Space) sweep(ctx context.Context, tx tables.Tx, limit int) (int, error) {
	var all, collections []int64
	err := tables.Each(ctx, tx, func(rows tables.Rows) error {
		var (
			id  int64
			dir bool
		)
		if err := rows.Scan(&id, &dir); err != nil {
			return err
		}
		all = append(all, id)
		if dir {
			collections = append(collections, id)
		}
		return nil
	}, "SELECT id, dir FROM entries WHERE parent = $1 ORDER BY fold LIMIT $2"+s.sql.freeForUpdate, s.trash, limit)
	if err != nil {
		return 0, err
	}
	var gone removed
	moved := int64(0)
	if len(collections) > 0 {
		of := number(collections)
		err := gone.remove(ctx, tx, "DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE parent IN "+s.sql.ids("$1")+" AND NOT dir LIMIT $2)", of, limit)
		if err == nil {
			moved, err = tx.Exec(ctx, "UPDATE entries SET parent = $1, fold = CAST(id AS TEXT), name = NULL WHERE id IN"+
				" (SELECT id FROM entries WHERE parent IN "+s.sql.ids("$2")+" AND dir LIMIT $3)", s.trash, of, limit)
		}
		if err != nil {
			return 0, err
		}
	}
	if len(all) > 0 {
		err := gone.remove(ctx, tx, "DELETE FROM entries WHERE id IN "+s.sql.ids("$1")+" AND NOT EXISTS (SELECT 1 FROM entries m WHERE m.parent = entries.id)", number(all))
		if err == nil {
			err = s.loosen(ctx, tx, gone.keys...)
		}
		if err == nil {
			err = s.use(ctx, tx, -gone.bytes)
		}
		if err != nil {
			return 0, err
		}
	}
	contents, err := s.sweepContents(ctx, tx, limit)
	return gone.entries + int(moved) + contents, err
}

// sweepContents removes contents in the database that nothing refers to.
func (s *Space) sweepContents(ctx context.Context, tx tables.Tx, limit int) (int, error) {
	found, err := list(ctx, tx, "SELECT key FROM loose WHERE volume = $1 AND key >= '=' AND key < '>' ORDER BY key LIMIT $2"+s.sql.freeForUpdate, s.id, limit)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	unused, err := s.unused(ctx, tx, found)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, "DELETE FROM objects WHERE key IN "+s.sql.array("$1"), text(unused))
	return len(found), err
}

// unused locks objects that are loose, and returns those that nothing refers to. They are not loose
// any more, except for those that are locked by other transactions.
func (s *Space) unused(ctx context.Context, tx tables.Tx, keys []string) (unused []string, err error) {
	locked, err := list(ctx, tx, "SELECT key FROM objects WHERE key IN "+s.sql.array("$1")+" ORDER BY key"+s.sql.freeForUpdate, text(keys))
	if err != nil {
		return nil, err
	}
	// Only this statement sees all references that were made before the rows were locked.
	unused, err = list(ctx, tx, "SELECT key FROM objects WHERE key IN "+s.sql.array("$1")+" AND NOT EXISTS (SELECT 1 FROM entries WHERE blob = objects.key)", text(locked))
	if err == nil {
		_, err = tx.Exec(ctx, "DELETE FROM loose WHERE key IN "+s.sql.array("$1"), text(locked))
	}
	return unused, err
}

// Loose implements [Collecting].
func (s *Space) Loose(ctx context.Context, before time.Time, limit int) (doomed []string, err error) {
	for more := true; err == nil && more; {
		err = s.change(ctx, true, func(ctx context.Context, tx tables.Tx) error {
			found, err := list(ctx, tx, "SELECT key FROM loose WHERE volume = $1 AND since < $2 AND (key < '=' OR key >= '>') ORDER BY since LIMIT $3"+s.sql.freeForUpdate,
				s.id, nanoseconds(before), limit)
			if err != nil {
				return err
			}
			unused, err := s.unused(ctx, tx, found)
			if err == nil {
				_, err = tx.Exec(ctx, "UPDATE objects SET doomed = TRUE WHERE key IN "+s.sql.array("$1"), text(unused))
			}
			if err == nil {
				doomed, err = list(ctx, tx, "SELECT key FROM objects WHERE volume = $1 AND doomed ORDER BY key LIMIT $2", s.id, limit)
			}
			more = len(found) == limit && len(doomed) == 0
			return err
		})
	}
	return doomed, s.failed("collect", "/", err)
}

// Removed implements [Collecting].
func (s *Space) Removed(ctx context.Context, keys []string) error {
	err := s.change(ctx, true, func(ctx context.Context, tx tables.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM objects WHERE doomed AND key IN "+s.sql.array("$1"), text(keys))
		return err
	})
	return s.failed("collect", "/", err)
}

// Disown implements [Collecting].
func (s *Space) Disown(ctx context.Context, keys []string) (doomed []string, err error) {
	err = s.change(ctx, true, func(ctx context.Context, tx tables.Tx) error {
		// It waits for a transaction that has put the same object.
		_, err := tx.Exec(ctx, "INSERT INTO objects (key, volume, size, doomed) SELECT value, $2, 0, TRUE FROM "+s.sql.array("$1")+" a WHERE TRUE ON CONFLICT (key) DO NOTHING",
			text(keys), s.id)
		if err == nil {
			doomed, err = list(ctx, tx, "SELECT key FROM objects WHERE doomed AND key IN "+s.sql.array("$1")+" ORDER BY key", text(keys))
		}
		return err
	})
	return doomed, s.failed("collect", "/", err)
}

// Orphans implements [Collecting].
func (s *Space) Orphans(ctx context.Context, keys []string) ([]string, error) {
	epochs := make([]string, len(keys))
	for i, key := range keys {
		epochs[i], _, _ = strings.Cut(key, "-")
	}
	// One statement sees one state. No object of an epoch that is over in it can be put any more.
	known, err := list(ctx, s.db.Reader(), "SELECT key FROM objects WHERE key IN "+s.sql.array("$1")+
		" UNION ALL SELECT epoch FROM nodes WHERE epoch IN "+s.sql.array("$2"), text(keys), text(epochs))
	if err != nil {
		return nil, s.failed("collect", "/", err)
	}
	is := make(map[string]bool, len(known))
	for _, k := range known {
		is[k] = true
	}
	var orphans []string
	for i, key := range keys {
		if !is[key] && !is[epochs[i]] {
			orphans = append(orphans, key)
		}
	}
	return orphans, nil
}

// Lead implements [Collecting].
func (s *Space) Lead(ctx context.Context) (leads bool, err error) {
	epoch, err := s.Epoch()
	if err != nil {
		return false, err
	}
	leads, err = exists(ctx, s.db.Reader(), "SELECT 1 FROM volumes WHERE id = $1 AND collector = $2", []any{s.id, epoch})
	if err == nil && !leads {
		err = s.change(ctx, false, func(ctx context.Context, tx tables.Tx) error {
			n, err := tx.Exec(ctx, "UPDATE volumes SET collector = $2 WHERE id = $1 AND (collector IS NULL OR NOT EXISTS (SELECT 1 FROM nodes WHERE epoch = collector))",
				s.id, epoch)
			leads = n > 0
			return err
		})
	}
	return leads, s.failed("collect", "/", err)
}
