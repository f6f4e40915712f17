package names

import (
	"context"
	"math"
	"time"

	"github.com/davd/davd/storage/internal/tables"
)

// Flaw is a contradiction between the tables.
type Flaw struct {
	Kind FlawKind
	// ID is that of a file or collection, and Name its name, or as much of it as is known.
	ID   int64
	Name string
	// Key is that of an object.
	Key string
	// Want is the number of bytes that there should be, and Have the one that the database has.
	Want, Have int64
}

// FlawKind says what is wrong.
type FlawKind string

const (
	// Lost says that the collections above a file or collection don't lead to the root, so nobody can
	// reach it.
	Lost FlawKind = "lost"
	// Unknown says that the object of a file has no row, or is about to be removed.
	Unknown FlawKind = "unknown"
	// Differs says that a file has another size than its object.
	Differs FlawKind = "differs"
	// Forgotten says that an object without a file will never be removed. Repair corrects this.
	Forgotten FlawKind = "forgotten"
	// Miscounted says that the usage isn't the sum of the sizes. Repair and Recount correct this.
	Miscounted FlawKind = "miscounted"
)

// flawPage is how many rows a statement compares.
const flawPage = 5000

// Flaws implements [Collecting]. Each statement sees one state of the tables, so changes that are made
// meanwhile are no flaws.
func (s *Space) Flaws(ctx context.Context, found func(Flaw)) error {
	for _, look := range []func(context.Context, func(Flaw)) error{s.flawsOfEntries, s.flawsOfObjects, s.flawOfUsage} {
		if err := look(ctx, found); err != nil {
			return s.failed("check", "/", err)
		}
	}
	return nil
}

// flawsOfEntries looks at the files and collections of all name spaces in the database, because a lost
// one belongs to none.
func (s *Space) flawsOfEntries(ctx context.Context, found func(Flaw)) error {
	for after, more := int64(math.MinInt64), true; more; {
		var flaws []Flaw
		var collections []int64
		n := 0
		err := tables.Each(ctx, s.db.Reader(), func(rows tables.Rows) error {
			var (
				f                              Flaw
				dir, astray, isUnknown, differ bool
			)
			if err := rows.Scan(&f.ID, &f.Name, &dir, &f.Key, &f.Have, &f.Want, &astray, &isUnknown, &differ); err != nil {
				return err
			}
			n, after = n+1, f.ID
			f.Name = tables.Untext(f.Name)
			switch {
			case astray:
				f.Kind = Lost
			case isUnknown:
				f.Kind = Unknown
			case differ:
				f.Kind = Differs
			case dir:
				collections = append(collections, f.ID)
				return nil
			default:
				return nil
			}
			flaws = append(flaws, f)
			return nil
		}, `SELECT e.id, e.fold, e.dir, coalesce(e.blob, ''), e.size, coalesce(o.size, 0),
			e.parent IS NOT NULL AND (p.id IS NULL OR NOT p.dir),
			e.blob IS NOT NULL AND (o.key IS NULL OR o.doomed), NOT e.dir AND e.size <> coalesce(o.size, 0)
			FROM (SELECT id, parent, fold, dir, blob, size FROM entries WHERE id > $1 ORDER BY id LIMIT $2) e
			LEFT JOIN entries p ON p.id = e.parent LEFT JOIN objects o ON o.key = e.blob ORDER BY e.id`, after, flawPage)
		if err != nil {
			return err
		}
		more = n == flawPage
		circling, err := s.circling(ctx, collections)
		if err != nil {
			return err
		}
		if err := s.report(ctx, append(flaws, circling...), found); err != nil {
			return err
		}
	}
	return nil
}

// report calls found with flaws of entries, with their names as far as these are known.
func (s *Space) report(ctx context.Context, flaws []Flaw, found func(Flaw)) error {
	ids := make([]int64, len(flaws))
	for i, f := range flaws {
		ids[i] = f.ID
	}
	up, err := s.upwards(ctx, ids)
	if err != nil {
		return err
	}
	for _, f := range flaws {
		if name := s.nameOf(up, f.ID); name != "" {
			f.Name = name
		}
		found(f)
	}
	return nil
}

// circling returns the collections that are below themselves.
func (s *Space) circling(ctx context.Context, ids []int64) (flaws []Flaw, err error) {
	up, err := s.upwards(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !circles(up, id) {
			continue
		}
		// Collections may have been moved between the statements of upwards. This one sees one state.
		var all, tops int64
		err := tables.Each(ctx, s.db.Reader(), func(rows tables.Rows) error { return rows.Scan(&all, &tops) },
			`WITH RECURSIVE up(id, parent) AS (SELECT id, parent FROM entries WHERE id = $1
			UNION SELECT e.id, e.parent FROM up JOIN entries e ON e.id = up.parent) SELECT count(*), count(*) - count(parent) FROM up`, id)
		if err != nil {
			return nil, err
		}
		if all > 0 && tops == 0 {
			flaws = append(flaws, Flaw{Kind: Lost, ID: id, Name: up[id].name})
		}
	}
	return flaws, nil
}

// circles reports whether the way up from an entry has no end.
func circles(up map[int64]link, id int64) bool {
	for range len(up) + 1 {
		if id == 0 {
			return false
		}
		id = up[id].parent
	}
	return true
}

// forgotten are objects of the volume $1 after the key $2 that nothing refers to, and that the collector
// doesn't know either.
const forgotten = "FROM objects o WHERE volume = $1 AND key > $2 AND NOT doomed AND NOT EXISTS (SELECT 1 FROM entries WHERE blob = o.key)" +
	" AND NOT EXISTS (SELECT 1 FROM loose l WHERE l.key = o.key)"

func (s *Space) flawsOfObjects(ctx context.Context, found func(Flaw)) error {
	for after, more := "", true; more; {
		n := 0
		err := tables.Each(ctx, s.db.Reader(), func(rows tables.Rows) error {
			f := Flaw{Kind: Forgotten}
			err := rows.Scan(&f.Key, &f.Have)
			n, after = n+1, f.Key
			found(f)
			return err
		}, "SELECT key, size "+forgotten+" ORDER BY key LIMIT $3", s.id, after, flawPage)
		if err != nil {
			return err
		}
		more = n == flawPage
	}
	return nil
}

func (s *Space) flawOfUsage(ctx context.Context, found func(Flaw)) error {
	usage, sum, _, err := s.counted(ctx, s.db.Reader())
	if err == nil && usage != sum {
		found(Flaw{Kind: Miscounted, Want: sum, Have: usage})
	}
	return err
}

// Repair implements [Collecting].
func (s *Space) Repair(ctx context.Context) error {
	err := s.change(ctx, false, func(ctx context.Context, tx tables.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO loose (key, volume, since) SELECT key, volume, CAST($3 AS BIGINT) "+forgotten+" ON CONFLICT (key) DO NOTHING",
			s.id, "", nanoseconds(time.Now()))
		return err
	})
	if err != nil {
		return s.failed("repair", "/", err)
	}
	_, _, _, err = s.Recount(ctx) //nolint:dogsled // the caller doesn't ask what it was
	return err
}
