package sqlstate

import (
	"context"

	"golang.org/x/net/webdav"
)

// propertyRows are the properties of one resource, as one query finds them before a
// change. Two sums, before and after, would take two queries.
type propertyRows map[propertyName]propertyRow

// propertyName is the name of a property as it is stored.
type propertyName struct{ space, local string }

// propertyRow has the owner of a property, and its propertySize in bytes.
type propertyRow struct {
	owner string
	size  int64
}

// rowsOf returns the properties of the resource with the key.
func rowsOf(ctx context.Context, tx queryer, key string) (propertyRows, error) {
	rows, err := tx.QueryContext(ctx, "SELECT space, local, owner, "+propertySize+" FROM properties WHERE name = $1", key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := propertyRows{}
	for rows.Next() {
		var name propertyName
		var row propertyRow
		if err := rows.Scan(&name.space, &name.local, &row.owner, &row.size); err != nil {
			return nil, err
		}
		row.owner = untext(row.owner)
		found[name] = row
	}
	return found, rows.Err()
}

// size is the size of all rows in bytes.
func (r propertyRows) size() (bytes int64) {
	for _, row := range r {
		bytes += row.size
	}
	return bytes
}

// patch does to r what patchOne does to the database, and notes in used how much more
// or less the owners have.
func (r propertyRows) patch(used propertyUse, prop webdav.Property, remove bool, owner string) {
	name := propertyName{text(prop.XMLName.Space), text(prop.XMLName.Local)}
	if old, ok := r[name]; ok {
		used[old.owner] -= old.size
		delete(r, name)
	}
	if remove {
		return
	}
	size := int64(64 + len(name.space) + len(name.local) + len(text(prop.Lang)) + len(prop.InnerXML)) // propertySize
	used[owner] += size
	r[name] = propertyRow{owner: owner, size: size}
}
