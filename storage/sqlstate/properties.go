package sqlstate

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/internal/tables"
)

// Any implements [deadprops.Store].
func (db *DB) Any(ctx context.Context, name string) (bool, error) {
	if db.bare.Load() {
		return false, nil
	}
	from, to := tables.Tree(name)
	var found bool
	err := db.reader.QueryRowContext(ctx,
		"SELECT EXISTS (SELECT 1 FROM properties WHERE name >= $1 AND name < $2)", from, to).Scan(&found)
	return found, failed("looking for properties below "+name, err)
}

// isBare reports whether the database holds no property.
func isBare(ctx context.Context, db queryer) (bare bool, err error) {
	err = db.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM properties)").Scan(&bare)
	return bare, err
}

// Patch implements [deadprops.Store].
func (db *DB) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	sets := slices.ContainsFunc(patches, func(p webdav.Proppatch) bool { return !p.Remove && len(p.Props) > 0 })
	if !sets && db.bare.Load() {
		return nil
	}
	budget, _ := deadprops.BudgetOf(ctx)
	if err := budget.Limits.CheckProperties(patches); err != nil {
		return err
	}
	err := db.changeProperties(ctx, db.transact, func(tx *sql.Tx) (left bool, err error) {
		// The statements are short, so they need not watch for the end of ctx.
		ctx, key, used := context.WithoutCancel(ctx), tables.Key(name), propertyUse{}
		before, err := used.count(ctx, tx, "name = $1", -1, key)
		if err != nil {
			return false, err
		}
		for _, patch := range patches {
			for _, prop := range patch.Props {
				if err := patchOne(ctx, tx, key, prop, patch.Remove, budget.Owner); err != nil {
					return false, err
				}
			}
		}
		after, err := used.count(ctx, tx, "name = $1", 1, key)
		if err == nil {
			err = budget.Limits.CheckResource(before, after)
		}
		if err == nil {
			err = used.charge(ctx, tx, &budget)
		}
		return after > 0, err
	})
	return failed("changing properties of "+name, err)
}

func patchOne(ctx context.Context, tx *sql.Tx, key string, prop webdav.Property, remove bool, owner string) error {
	space, local := tables.Text(prop.XMLName.Space), tables.Text(prop.XMLName.Local)
	if remove {
		_, err := tx.ExecContext(ctx, "DELETE FROM properties WHERE name = $1 AND space = $2 AND local = $3",
			key, space, local)
		return err
	}
	value := prop.InnerXML
	if value == nil {
		value = []byte{} // nil would become NULL.
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO properties (name, space, local, lang, value, owner) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name, space, local) DO UPDATE SET lang = excluded.lang, value = excluded.value, owner = excluded.owner`,
		key, space, local, tables.Text(prop.Lang), value, tables.Text(owner))
	return err
}

// Move implements [deadprops.Store].
func (db *DB) Move(ctx context.Context, src, dst string) error {
	return db.replace(ctx, src, dst, func(tx *sql.Tx) error {
		from, to := tables.Tree(src)
		_, err := tx.ExecContext(ctx, `UPDATE properties SET name = $1 || substr(name, length($2) + 1)
			WHERE name >= $2 AND name < $3`, tables.Key(dst), from, to)
		return err
	})
}

// Copy implements [deadprops.Store].
func (db *DB) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return db.replace(ctx, src, dst, func(tx *sql.Tx) error {
		budget, given := deadprops.BudgetOf(ctx)
		owner := sql.NullString{String: tables.Text(budget.Owner), Valid: given}
		from, to := copied(src, zeroDepth)
		_, err := tx.ExecContext(ctx, `INSERT INTO properties (name, space, local, lang, value, owner)
			SELECT $1 || substr(name, length($2) + 1), space, local, lang, value, coalesce($4, owner)
			FROM properties WHERE name >= $2 AND name < $3`, tables.Key(dst), from, to, owner)
		if err != nil {
			return err
		}
		used := propertyUse{}
		if _, err := used.countTree(ctx, tx, dst, 1); err != nil {
			return err
		}
		return used.charge(ctx, tx, nil)
	})
}

// copied returns the range of keys that a Copy copies: from is the first key, and to is
// the first key after the range.
func copied(src string, zeroDepth bool) (from, to string) {
	if from, to = tables.Tree(src); zeroDepth {
		to = from + "\x01" // No member's key is below this.
	}
	return from, to
}

// Remove implements [deadprops.Store].
func (db *DB) Remove(ctx context.Context, name string) error {
	// If there is nothing to remove, the call must not wait for other changes.
	if found, err := db.Any(ctx, name); err != nil || !found {
		return err
	}
	err := db.changeProperties(ctx, db.urgently, func(tx *sql.Tx) (left bool, err error) { return false, removeTree(ctx, tx, name) })
	return failed("removing the properties of "+name, err)
}

// replace removes the properties of the tree dst and calls fill, which puts those of
// the tree src there.
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
	err = db.changeProperties(ctx, db.urgently, func(tx *sql.Tx) (left bool, err error) {
		if err := removeTree(ctx, tx, dst); err != nil {
			return false, err
		}
		return false, fill(tx)
	})
	return failed("giving "+dst+" the properties of "+src, err)
}

func removeTree(ctx context.Context, tx *sql.Tx, name string) error {
	used := propertyUse{}
	if bytes, err := used.countTree(ctx, tx, name, -1); err != nil || bytes == 0 {
		return err
	}
	if err := used.charge(ctx, tx, nil); err != nil {
		return err
	}
	from, to := tables.Tree(name)
	_, err := tx.ExecContext(ctx, "DELETE FROM properties WHERE name >= $1 AND name < $2", from, to)
	return err
}

// propertyChange changes properties. If left is true, some properties are left. Otherwise
// it is unknown whether any are.
type propertyChange func(tx *sql.Tx) (left bool, err error)

// changeProperties is like changeBy, and updates db.bare.
func (db *DB) changeProperties(ctx context.Context, by changer, f propertyChange) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	return db.changePropertiesInTurn(ctx, by, f)
}

func (db *DB) changePropertiesInTurn(ctx context.Context, change changer, f propertyChange) error {
	var bare bool
	err := change(ctx, func(tx *sql.Tx) error {
		left, err := f(tx)
		if err == nil && !left {
			bare, err = isBare(ctx, tx)
		}
		return err
	})
	db.bare.Store(bare && err == nil)
	return err
}
