package sqlstate

import (
	"context"
	"database/sql"
	"encoding/xml"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// batch is how many names one query asks for.
const batch = 500

// Any implements [deadprops.Store].
func (db *DB) Any(ctx context.Context, name string) (bool, error) {
	if db.bare.Load() {
		return false, nil
	}
	from, to := tree(name)
	var found bool
	err := db.reader.QueryRowContext(ctx,
		"SELECT EXISTS (SELECT 1 FROM properties WHERE name >= $1 AND name < $2)", from, to).Scan(&found)
	return found, failed("looking for properties below "+name, err)
}

// isBare reports whether there is no property at all.
func isBare(ctx context.Context, db queryer) (bare bool, err error) {
	err = db.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM properties)").Scan(&bare)
	return bare, err
}

// Read implements [deadprops.Store].
func (db *DB) Read(ctx context.Context, names ...string) (map[string][]webdav.Property, error) {
	if db.bare.Load() {
		return nil, nil
	}
	found := map[string][]webdav.Property{}
	for batch := range batches(names, key) {
		if err := db.readBatch(ctx, found, batch); err != nil {
			return nil, failed("reading properties", err)
		}
	}
	for _, props := range found {
		slices.SortFunc(props, func(a, b webdav.Property) int { return deadprops.Compare(a.XMLName, b.XMLName) })
	}
	return found, nil
}

func (db *DB) readBatch(ctx context.Context, found map[string][]webdav.Property, keys []any) error {
	const from = "SELECT name, space, local, lang, value FROM properties WHERE name IN "
	rows, err := db.reader.QueryContext(ctx, from+parameters(len(keys)), keys...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var prop webdav.Property
		if err := rows.Scan(&key, &prop.XMLName.Space, &prop.XMLName.Local, &prop.Lang, &prop.InnerXML); err != nil {
			return err
		}
		prop.XMLName = xml.Name{Space: untext(prop.XMLName.Space), Local: untext(prop.XMLName.Local)}
		prop.Lang = untext(prop.Lang)
		name := unkey(key)
		found[name] = append(found[name], prop)
	}
	return rows.Err()
}

// batches yields what as makes of all in batches, as arguments of a query.
func batches(all []string, as func(string) string) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for some := range slices.Chunk(all, batch) {
			args := make([]any, len(some))
			for i, s := range some {
				args[i] = as(s)
			}
			if !yield(args) {
				return
			}
		}
	}
}

// Patch implements [deadprops.Store].
func (db *DB) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	sets := slices.ContainsFunc(patches, func(p webdav.Proppatch) bool { return !p.Remove && len(p.Props) > 0 })
	if !sets && db.bare.Load() {
		return nil
	}
	err := db.changeProperties(ctx, false, func(tx *sql.Tx) error {
		for _, patch := range patches {
			for _, prop := range patch.Props {
				if err := patchOne(ctx, tx, key(name), prop, patch.Remove); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return failed("changing properties of "+name, err)
}

func patchOne(ctx context.Context, tx *sql.Tx, key string, prop webdav.Property, remove bool) error {
	space, local := text(prop.XMLName.Space), text(prop.XMLName.Local)
	if remove {
		_, err := tx.ExecContext(ctx, "DELETE FROM properties WHERE name = $1 AND space = $2 AND local = $3",
			key, space, local)
		return err
	}
	value := prop.InnerXML
	if value == nil {
		value = []byte{} // nil is NULL.
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO properties (name, space, local, lang, value) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (name, space, local) DO UPDATE SET lang = excluded.lang, value = excluded.value`,
		key, space, local, text(prop.Lang), value)
	return err
}

// Move implements [deadprops.Store].
func (db *DB) Move(ctx context.Context, src, dst string) error {
	return db.replace(ctx, src, dst, func(tx *sql.Tx) error {
		from, to := tree(src)
		_, err := tx.ExecContext(ctx, `UPDATE properties SET name = $1 || substr(name, length($2) + 1)
			WHERE name >= $2 AND name < $3`, key(dst), from, to)
		return err
	})
}

// Copy implements [deadprops.Store].
func (db *DB) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return db.replace(ctx, src, dst, func(tx *sql.Tx) error {
		const insert = "INSERT INTO properties (name, space, local, lang, value) SELECT "
		if zeroDepth {
			_, err := tx.ExecContext(ctx, insert+"$1, space, local, lang, value FROM properties WHERE name = $2",
				key(dst), key(src))
			return err
		}
		from, to := tree(src)
		_, err := tx.ExecContext(ctx, insert+`$1 || substr(name, length($2) + 1), space, local, lang, value
			FROM properties WHERE name >= $2 AND name < $3`, key(dst), from, to)
		return err
	})
}

// Remove implements [deadprops.Store].
func (db *DB) Remove(ctx context.Context, name string) error {
	// Whoever finds nothing need not wait for those who write.
	if found, err := db.Any(ctx, name); err != nil || !found {
		return err
	}
	err := db.changeProperties(ctx, true, func(tx *sql.Tx) error { return removeTree(ctx, tx, name) })
	return failed("removing the properties of "+name, err)
}

// replace removes the properties of the tree dst and lets fill put those of the
// tree src there.
func (db *DB) replace(ctx context.Context, src, dst string, fill func(tx *sql.Tx) error) error {
	if storage.Overlap(src, dst) {
		return fmt.Errorf("properties of %q to %q: one contains the other: %w", src, dst, fs.ErrInvalid)
	}
	found, err := db.Any(ctx, src)
	if err == nil && !found {
		found, err = db.Any(ctx, dst)
	}
	if err != nil || !found {
		return err
	}
	err = db.changeProperties(ctx, true, func(tx *sql.Tx) error {
		if err := removeTree(ctx, tx, dst); err != nil {
			return err
		}
		return fill(tx)
	})
	return failed("giving "+dst+" the properties of "+src, err)
}

func removeTree(ctx context.Context, tx *sql.Tx, name string) error {
	from, to := tree(name)
	_, err := tx.ExecContext(ctx, "DELETE FROM properties WHERE name >= $1 AND name < $2", from, to)
	return err
}

// changeProperties is change or urgent, and sees whether there are properties left.
func (db *DB) changeProperties(ctx context.Context, urgent bool, f func(tx *sql.Tx) error) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	if urgent {
		return db.changePropertiesBy(ctx, db.urgentInTurn, f)
	}
	return db.changePropertiesBy(ctx, db.transact, f)
}

func (db *DB) changePropertiesBy(ctx context.Context, change changer, f func(tx *sql.Tx) error) error {
	var bare bool
	err := change(ctx, func(tx *sql.Tx) error {
		err := f(tx)
		if err == nil {
			bare, err = isBare(ctx, tx)
		}
		return err
	})
	db.bare.Store(bare && err == nil)
	return err
}
