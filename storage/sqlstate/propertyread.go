package sqlstate

import (
	"context"
	"database/sql"
	"encoding/xml"
	"math"
	"slices"
	"strconv"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/internal/tables"
)

// Read implements [deadprops.Store].
func (db *DB) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	if db.bare.Load() || query.Props != nil && len(query.Props) == 0 {
		return nil, nil, nil
	}
	r := propertyReader{Query: query, found: map[string][]webdav.Property{}}
	if err := r.read(ctx, db.reader); err != nil {
		return nil, nil, failed("reading properties", err)
	}
	for _, props := range r.found {
		slices.SortFunc(props, func(a, b webdav.Property) int { return deadprops.Compare(a.XMLName, b.XMLName) })
	}
	return r.found, r.next, nil
}

// propertyReader reads the properties that a Query selects, row by row.
type propertyReader struct {
	deadprops.Query
	found map[string][]webdav.Property
	used  int // bytes
	next  *deadprops.Next
}

func (r *propertyReader) read(ctx context.Context, db queryer) error {
	query, args := r.statement()
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() && r.next == nil {
		if err := r.row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row adds a property if it fits.
func (r *propertyReader) row(rows *sql.Rows) error {
	var key string
	var prop webdav.Property
	var tooLong sql.NullInt64 // the length of a value that was not read
	if err := rows.Scan(&key, &prop.XMLName.Space, &prop.XMLName.Local, &prop.Lang, &prop.InnerXML, &tooLong); err != nil {
		return err
	}
	prop.XMLName = xml.Name{Space: tables.Untext(prop.XMLName.Space), Local: tables.Untext(prop.XMLName.Local)}
	prop.Lang = tables.Untext(prop.Lang)
	size := deadprops.Size(prop) + int(tooLong.Int64)
	if r.MaxBytes > 0 && r.used+size > r.MaxBytes {
		r.next = &deadprops.Next{Name: prop.XMLName, Bytes: size}
		return nil
	}
	r.used += size
	name := tables.Unkey(key)
	r.found[name] = append(r.found[name], prop)
	return nil
}

// statement returns the query for the properties, and its arguments. A database knows
// the length of a value without reading it, so values that can't fit are not read.
func (r *propertyReader) statement() (query string, args []any) {
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	switch {
	case r.NamesOnly:
		query = "SELECT name, space, local, '', NULL, NULL"
	case r.MaxBytes == 0:
		query = "SELECT name, space, local, lang, value, NULL"
	default:
		most := arg(min(r.MaxBytes, math.MaxInt32))
		query = "SELECT name, space, local, lang, CASE WHEN octet_length(value) <= " + most + ` THEN value END,
			CASE WHEN octet_length(value) > ` + most + " THEN octet_length(value) END"
	}
	query += " FROM properties WHERE name"
	order := ""
	if len(r.Names) == 1 {
		query += " = " + arg(tables.Key(r.Names[0]))
		order = " ORDER BY space, local"
	} else {
		query += " IN (SELECT value FROM json_each(" + arg(tables.Array(r.Names, tables.Key)) + "))"
	}
	if len(r.Props) > 0 {
		parts := func(name xml.Name) [2]string { return [2]string{tables.Text(name.Space), tables.Text(name.Local)} }
		query += " AND (space, local) IN (SELECT value->>0, value->>1 FROM json_each(" + arg(tables.Array(r.Props, parts)) + "))"
	}
	if r.After != (xml.Name{}) {
		query += " AND (space, local) > (" + arg(tables.Text(r.After.Space)) + "," + arg(tables.Text(r.After.Local)) + ")"
	}
	return query + order, args
}
