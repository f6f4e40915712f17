package tables

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// Properties are the dead properties.
type Properties struct {
	db Database
	d  Dialect
	// Statements. A tree is the range of its keys: $1 is the first one, and $2 the first one after it.
	any, set, unset, move, copy, remove, size, treeSize string
	use                                                 uses
}

var _ deadprops.Store = (*Properties)(nil)

// NewProperties returns those of a database.
func NewProperties(db Database, d Dialect) *Properties {
	tree := "WHERE " + d.between("name", "$1", "$2")
	const renamed = "$3 || substr(name, length($1) + 1)"
	size := "SELECT owner, sum" + PropertySize + " FROM properties %s GROUP BY owner"
	return &Properties{
		db: db, d: d, use: newUses(d),
		any: "SELECT EXISTS (SELECT 1 FROM properties " + tree + ")",
		set: `INSERT INTO properties (name, space, local, lang, value, owner) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (` + d.key("name, space, local") + `) DO UPDATE SET lang = excluded.lang, value = excluded.value, owner = excluded.owner`,
		unset: "DELETE FROM properties WHERE " + d.is("name", "$1") + " AND space = $2 AND local = $3",
		move:  "UPDATE properties SET name = " + renamed + " " + tree,
		copy: `INSERT INTO properties (name, space, local, lang, value, owner)
			SELECT ` + renamed + ", space, local, lang, value, coalesce($4, owner) FROM properties " + tree,
		remove:   "DELETE FROM properties " + tree,
		size:     fmt.Sprintf(size, "WHERE "+d.is("name", "$1")),
		treeSize: fmt.Sprintf(size, tree),
	}
}

// Any implements [deadprops.Store].
func (p *Properties) Any(ctx context.Context, name string) (bool, error) {
	if p.db.Bare() {
		return false, nil
	}
	if db, ok := p.db.(PropertyKnower); ok {
		if found, known := db.KnowsProperties(ctx, name); known {
			return found, nil
		}
	}
	from, to := Tree(name)
	var found bool
	err := one(ctx, p.db.Reader(), []any{&found}, p.any, from, to)
	return found, p.db.Failed("looking for properties below "+name, err)
}

// Patch implements [deadprops.Store].
func (p *Properties) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	sets := slices.ContainsFunc(patches, func(p webdav.Proppatch) bool { return !p.Remove && len(p.Props) > 0 })
	if !sets && p.db.Bare() {
		return nil
	}
	budget, _ := deadprops.BudgetOf(ctx)
	if err := budget.Limits.CheckProperties(patches); err != nil {
		return err
	}
	err := p.db.ChangeProperties(ctx, PropertyChange{Names: []string{name}, Make: func(tx Tx) (left bool, err error) {
		// The statements are short, so they don't watch for the end of ctx.
		ctx, key, used := context.WithoutCancel(ctx), Key(name), &propertyUse{}
		before, err := used.count(ctx, tx, -1, p.size, key)
		if err != nil {
			return false, err
		}
		for _, patch := range patches {
			for _, prop := range patch.Props {
				if err := p.patch(ctx, tx, key, prop, patch.Remove, budget.Owner); err != nil {
					return false, err
				}
			}
		}
		after, err := used.count(ctx, tx, 1, p.size, key)
		if err == nil {
			err = budget.Limits.CheckResource(before, after)
		}
		if err == nil {
			err = p.use.charge(ctx, tx, used, &budget)
		}
		return after > 0, err
	}})
	return p.db.Failed("changing properties of "+name, err)
}

// patch sets or removes one property.
func (p *Properties) patch(ctx context.Context, tx Tx, key string, prop webdav.Property, remove bool, owner string) error {
	space, local := Text(prop.XMLName.Space), Text(prop.XMLName.Local)
	if remove {
		return Later(ctx, tx, p.unset, key, space, local)
	}
	value := prop.InnerXML
	if value == nil {
		value = []byte{} // nil would become NULL.
	}
	return Later(ctx, tx, p.set, key, space, local, Text(prop.Lang), value, Text(owner))
}

// Move implements [deadprops.Store].
func (p *Properties) Move(ctx context.Context, src, dst string) error {
	return p.replace(ctx, src, dst, func(tx Tx) error {
		from, to := Tree(src)
		return Later(ctx, tx, p.move, from, to, Key(dst))
	})
}

// Copy implements [deadprops.Store].
func (p *Properties) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return p.replace(ctx, src, dst, func(tx Tx) error {
		budget, given := deadprops.BudgetOf(ctx)
		owner := sql.NullString{String: Text(budget.Owner), Valid: given}
		from, to := copied(src, zeroDepth)
		if err := Later(ctx, tx, p.copy, from, to, Key(dst), owner); err != nil {
			return err
		}
		used := &propertyUse{}
		if _, err := p.countTree(ctx, tx, used, dst, 1); err != nil {
			return err
		}
		return p.use.charge(ctx, tx, used, nil)
	})
}

// copied returns the range of keys that a Copy copies: from is the first key, and to is
// the first key after the range.
func copied(src string, zeroDepth bool) (from, to string) {
	if from, to = Tree(src); zeroDepth {
		to = from + "\x01" // No member's key is below this.
	}
	return from, to
}

// Remove implements [deadprops.Store].
func (p *Properties) Remove(ctx context.Context, name string) error {
	// If there is nothing to remove, the call must not wait for other changes.
	if found, err := p.Any(ctx, name); err != nil || !found {
		return err
	}
	err := p.db.ChangeProperties(ctx, PropertyChange{Names: []string{name}, Urgent: true, Make: func(tx Tx) (left bool, err error) {
		return false, p.removeTree(ctx, tx, name)
	}})
	return p.db.Failed("removing the properties of "+name, err)
}

// replace removes the properties of the tree dst and calls fill, which puts those of
// the tree src there.
func (p *Properties) replace(ctx context.Context, src, dst string, fill func(tx Tx) error) error {
	if storage.Overlap(src, dst) {
		return fmt.Errorf("properties of %q to %q: one contains the other: %w", src, dst, fs.ErrInvalid)
	}
	found, err := p.Any(ctx, src)
	if err == nil && !found {
		found, err = p.Any(ctx, dst)
	}
	if err != nil || !found {
		return err
	}
	err = p.db.ChangeProperties(ctx, PropertyChange{Names: []string{src, dst}, Urgent: true, Make: func(tx Tx) (left bool, err error) {
		if err := p.removeTree(ctx, tx, dst); err != nil {
			return false, err
		}
		return false, fill(tx)
	}})
	return p.db.Failed("giving "+dst+" the properties of "+src, err)
}

func (p *Properties) removeTree(ctx context.Context, tx Tx, name string) error {
	used := &propertyUse{}
	if bytes, err := p.countTree(ctx, tx, used, name, -1); err != nil || bytes == 0 {
		return err
	}
	if err := p.use.charge(ctx, tx, used, nil); err != nil {
		return err
	}
	from, to := Tree(name)
	return Later(ctx, tx, p.remove, from, to)
}
