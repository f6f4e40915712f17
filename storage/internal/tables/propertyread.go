package tables

import (
	"context"
	"database/sql"
	"encoding/xml"
	"math"
	"slices"
	"strconv"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// Read implements [deadprops.Store].
func (p *Properties) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	if p.db.Bare() || query.Props != nil && len(query.Props) == 0 {
		return nil, nil, nil
	}
	r := propertyReader{Query: query, d: p.d, found: map[string][]webdav.Property{}}
	if err := r.read(ctx, p.db.Reader()); err != nil {
		return nil, nil, p.db.Failed("reading properties", err)
	}
	for _, props := range r.found {
		slices.SortFunc(props, func(a, b webdav.Property) int { return deadprops.Compare(a.XMLName, b.XMLName) })
	}
	return r.found, r.next, nil
}

// propertyReader reads the properties that a Query selects, row by row.
type propertyReader struct {
	deadprops.Query
	d     Dialect
	found map[string][]webdav.Property
	used  int // bytes
	next  *deadprops.Next

	// columns point to key, prop and tooLong, into which a row is scanned.
	columns []any
	key     string
	prop    webdav.Property
	tooLong sql.NullInt64 // the length of a value that was not read
}

func (r *propertyReader) read(ctx context.Context, db Queryer) error {
	query, args := r.statement()
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	r.columns = []any{&r.key, &r.prop.XMLName.Space, &r.prop.XMLName.Local, &r.prop.Lang, &r.prop.InnerXML, &r.tooLong}
	for rows.Next() && r.next == nil {
		if err := r.row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row adds a property if it fits.
func (r *propertyReader) row(rows Rows) error {
	if err := rows.Scan(r.columns...); err != nil {
		return err
	}
	prop := r.prop
	prop.XMLName = xml.Name{Space: Untext(prop.XMLName.Space), Local: Untext(prop.XMLName.Local)}
	prop.Lang = Untext(prop.Lang)
	size := deadprops.Size(prop) + int(r.tooLong.Int64)
	if r.MaxBytes > 0 && r.used+size > r.MaxBytes {
		r.next = &deadprops.Next{Name: prop.XMLName, Bytes: size}
		return nil
	}
	r.used += size
	name := Unkey(r.key)
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
	query += " FROM properties WHERE "
	order := ""
	if len(r.Names) == 1 {
		query += r.d.is("name", arg(Key(r.Names[0])))
		order = " ORDER BY space, local"
	} else {
		query += r.d.in("name", arg(Array(r.Names, Key)))
	}
	if len(r.Props) > 0 {
		parts := func(name xml.Name) [2]string { return [2]string{Text(name.Space), Text(name.Local)} }
		query += " AND (space, local) IN (SELECT value->>0, value->>1 FROM " + r.d.elements(arg(Array(r.Props, parts))) + ")"
	}
	if r.After != (xml.Name{}) {
		query += " AND (space, local) > (" + arg(Text(r.After.Space)) + "," + arg(Text(r.After.Local)) + ")"
	}
	return query + order, args
}
