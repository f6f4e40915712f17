package sqlstate

import (
	"context"
	"database/sql"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/internal/tables"
)

// propertySize is roughly deadprops.Size of a row of properties: it counts names in the
// encoding of text.
const propertySize = "(64 + octet_length(space) + octet_length(local) + octet_length(lang) + octet_length(value))"

// propertyUse maps owners to the number of bytes that they gain or lose in a
// transaction. The table property_use holds the sums, because counting all rows would
// take too long.
type propertyUse map[string]int64

// count adds to u, for each owner, sign times the size of the properties that condition
// selects. It returns the total size of them.
func (u propertyUse) count(ctx context.Context, tx queryer, condition string, sign int64, args ...any) (all int64, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var owner string
		var bytes int64
		err := rows.Scan(&owner, &bytes)
		u[tables.Untext(owner)] += sign * bytes
		all += bytes
		return err
	}, "SELECT owner, sum"+propertySize+" FROM properties WHERE "+condition+" GROUP BY owner", args...)
	return all, err
}

// countTree is count for the properties of the tree name.
func (u propertyUse) countTree(ctx context.Context, tx queryer, name string, sign int64) (int64, error) {
	from, to := tables.Tree(name)
	return u.count(ctx, tx, "name >= $1 AND name < $2", sign, from, to)
}

// charge adds u to the table property_use. It returns a *deadprops.LimitError if the
// owner of budget would exceed its limit. If budget is nil, there is no limit.
func (u propertyUse) charge(ctx context.Context, tx *sql.Tx, budget *deadprops.Budget) error {
	for owner, bytes := range u {
		if bytes == 0 {
			continue
		}
		var owned int64
		err := tx.QueryRowContext(ctx, `INSERT INTO property_use (owner, bytes) VALUES ($1, $2)
			ON CONFLICT (owner) DO UPDATE SET bytes = property_use.bytes + excluded.bytes RETURNING bytes`, tables.Text(owner), bytes).Scan(&owned)
		if err == nil && budget != nil && owner == budget.Owner {
			err = budget.Limits.CheckOwner(owned-bytes, owned)
		}
		if err == nil && owned <= 0 {
			_, err = tx.ExecContext(ctx, "DELETE FROM property_use WHERE owner = $1", tables.Text(owner))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ownedBy returns how many bytes the properties of owner take.
func ownedBy(ctx context.Context, db queryer, owner string) (bytes int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT coalesce(sum(bytes), 0) FROM property_use WHERE owner = $1", tables.Text(owner)).Scan(&bytes)
	return bytes, err
}

// MayCopy implements [deadprops.Store].
func (db *DB) MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error {
	budget, given := deadprops.BudgetOf(ctx)
	if !given || db.bare.Load() {
		return nil
	}
	from, to := copied(src, zeroDepth)
	more, err := propertyUse{}.count(ctx, db.reader, "name >= $1 AND name < $2", 1, from, to)
	freed := propertyUse{}
	if err == nil && more > 0 {
		_, err = freed.countTree(ctx, db.reader, dst, -1)
	}
	var owned int64
	if err == nil && more > 0 {
		owned, err = ownedBy(ctx, db.reader, budget.Owner)
	}
	if err != nil || more == 0 {
		return failed("counting the properties of "+src, err)
	}
	return budget.Limits.CheckOwner(owned, owned+freed[budget.Owner]+more)
}
