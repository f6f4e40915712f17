package tables

import (
	"context"
	"slices"
	"strings"

	"github.com/davd/davd/storage/deadprops"
)

// PropertySize is roughly deadprops.Size of a row of properties: it counts names in the
// encoding of Text.
const PropertySize = "(64 + octet_length(space) + octet_length(local) + octet_length(lang) + octet_length(value))"

// propertyUse says how many bytes owners gain or lose in a transaction. The table
// property_use holds the sums, because counting all rows would take too long.
type propertyUse struct {
	// owners are in order, so that two transactions that change several of them don't wait
	// for each other.
	owners []ownerUse
	// row is what a query has found last.
	row ownerUse
}

type ownerUse struct {
	owner string
	bytes int64
}

// add adds bytes to what owner gains.
func (u *propertyUse) add(owner string, bytes int64) {
	at, found := slices.BinarySearchFunc(u.owners, owner, func(o ownerUse, owner string) int { return strings.Compare(o.owner, owner) })
	if !found {
		u.owners = slices.Insert(u.owners, at, ownerUse{owner: owner})
	}
	u.owners[at].bytes += bytes
}

// of returns what owner gains.
func (u *propertyUse) of(owner string) int64 {
	for _, o := range u.owners {
		if o.owner == owner {
			return o.bytes
		}
	}
	return 0
}

// count adds to u, for each owner, sign times the size of the properties that query
// selects. It returns the total size of them.
func (u *propertyUse) count(ctx context.Context, db Queryer, sign int64, query string, args ...any) (all int64, err error) {
	columns := []any{&u.row.owner, &u.row.bytes}
	err = Each(ctx, db, func(rows Rows) error {
		err := rows.Scan(columns...)
		u.add(Untext(u.row.owner), sign*u.row.bytes)
		all += u.row.bytes
		return err
	}, query, args...)
	return all, err
}

// countTree is count for the properties of the tree name.
func (p *Properties) countTree(ctx context.Context, db Queryer, u *propertyUse, name string, sign int64) (int64, error) {
	from, to := Tree(name)
	return u.count(ctx, db, sign, p.treeSize, from, to)
}

// uses has the statements for the table property_use.
type uses struct{ add, remove, get string }

func newUses(d Dialect) uses {
	return uses{
		add: `INSERT INTO property_use (owner, bytes) VALUES ($1, $2)
			ON CONFLICT (` + d.key("owner") + `) DO UPDATE SET bytes = property_use.bytes + excluded.bytes RETURNING bytes`,
		remove: "DELETE FROM property_use WHERE " + d.is("owner", "$1"),
		get:    "SELECT coalesce(sum(bytes), 0) FROM property_use WHERE " + d.is("owner", "$1"),
	}
}

// charge adds used to the table property_use. It returns a *deadprops.LimitError if the
// owner of budget would exceed its limit. If budget is nil, there is no limit.
func (u uses) charge(ctx context.Context, tx Tx, used *propertyUse, budget *deadprops.Budget) error {
	for _, o := range used.owners {
		owner, bytes := o.owner, o.bytes
		if bytes == 0 {
			continue
		}
		var owned int64
		err := one(ctx, tx, []any{&owned}, u.add, Text(owner), bytes)
		if err == nil && budget != nil && owner == budget.Owner {
			err = budget.Limits.CheckOwner(owned-bytes, owned)
		}
		if err == nil && owned <= 0 {
			err = Later(ctx, tx, u.remove, Text(owner))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// owned returns how many bytes the properties of owner take.
func (u uses) owned(ctx context.Context, db Queryer, owner string) (bytes int64, err error) {
	err = one(ctx, db, []any{&bytes}, u.get, Text(owner))
	return bytes, err
}

// MayCopy implements [deadprops.Store].
func (p *Properties) MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error {
	budget, given := deadprops.BudgetOf(ctx)
	if !given || p.db.Bare() {
		return nil
	}
	from, to := copied(src, zeroDepth)
	more, err := (&propertyUse{}).count(ctx, p.db.Reader(), 1, p.treeSize, from, to)
	freed := &propertyUse{}
	if err == nil && more > 0 {
		_, err = p.countTree(ctx, p.db.Reader(), freed, dst, -1)
	}
	var owned int64
	if err == nil && more > 0 {
		owned, err = p.use.owned(ctx, p.db.Reader(), budget.Owner)
	}
	if err != nil || more == 0 {
		return p.db.Failed("counting the properties of "+src, err)
	}
	return budget.Limits.CheckOwner(owned, owned+freed.of(budget.Owner)+more)
}
