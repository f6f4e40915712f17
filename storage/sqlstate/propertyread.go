package sqlstate

import (
	"context"
	"database/sql"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage/deadprops"
)

// Read implements [deadprops.Store].
func (db *DB) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	if db.bare.Load() || query.Props != nil && len(query.Props) == 0 {
		return nil, nil, nil
	}
	r := propertyReader{Query: query, found: map[string][]webdav.Property{}}
	for some := range slices.Chunk(query.Names, batch) {
		if err := r.read(ctx, db.reader, some); err != nil {
			return nil, nil, failed("reading properties", err)
		}
		if r.next != nil {
			break
		}
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

func (r *propertyReader) read(ctx context.Context, db queryer, names []string) error {
	query, args := r.statement(names)
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
	prop.XMLName = xml.Name{Space: untext(prop.XMLName.Space), Local: untext(prop.XMLName.Local)}
	prop.Lang = untext(prop.Lang)
	size := deadprops.Size(prop) + int(tooLong.Int64)
	if r.MaxBytes > 0 && r.used+size > r.MaxBytes {
		r.next = &deadprops.Next{Name: prop.XMLName, Bytes: size}
		return nil
	}
	r.used += size
	name := unkey(key)
	r.found[name] = append(r.found[name], prop)
	return nil
}

// statement returns the query for the properties of names, and its arguments. A
// database knows the length of a value without reading it, so values that can't fit are
// not read.
func (r *propertyReader) statement(names []string) (string, []any) {
	var b strings.Builder
	args := make([]any, 0, 1+len(names)+2*len(r.Props))
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	switch {
	case r.NamesOnly:
		b.WriteString("SELECT name, space, local, '', NULL, NULL")
	case r.MaxBytes == 0:
		b.WriteString("SELECT name, space, local, lang, value, NULL")
	default:
		most := arg(min(r.MaxBytes, math.MaxInt32))
		fmt.Fprintf(&b, `SELECT name, space, local, lang, CASE WHEN octet_length(value) <= %s THEN value END,
			CASE WHEN octet_length(value) > %s THEN octet_length(value) END`, most, most)
	}
	b.WriteString(" FROM properties WHERE name IN (")
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(arg(key(name)))
	}
	b.WriteByte(')')
	if len(r.Props) > 0 {
		b.WriteString(" AND (space, local) IN (VALUES ")
		for i, name := range r.Props {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("(" + arg(text(name.Space)) + "," + arg(text(name.Local)) + ")")
		}
		b.WriteByte(')')
	}
	if r.After != (xml.Name{}) {
		b.WriteString(" AND (space, local) > (" + arg(text(r.After.Space)) + "," + arg(text(r.After.Local)) + ")")
	}
	if len(names) == 1 {
		b.WriteString(" ORDER BY space, local")
	}
	return b.String(), args
}
