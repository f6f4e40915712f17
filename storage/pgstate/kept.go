package pgstate

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// kept are the rows of a query in a transaction. They are in memory, so that the transaction can go
// on while they are read. It implements tables.Rows.
type kept struct {
	types  *sync.Pool // of *pgtype.Map
	fields []pgconn.FieldDescription
	rows   [][][]byte
	row    [][]byte // the present one
	as     *pgtype.Map
}

// newTypes returns a pool of maps, which are not safe for concurrent use.
func newTypes() *sync.Pool { return &sync.Pool{New: func() any { return pgtype.NewMap() }} }

// keep reads all rows.
func (k *kept) keep(rows pgx.Rows) error {
	k.rows, k.fields = nil, nil // It may be another attempt.
	for rows.Next() {
		raw := rows.RawValues() // They are valid until the next row.
		row := make([][]byte, len(raw))
		for i, value := range raw {
			row[i] = bytes.Clone(value) // It keeps NULL, which is nil.
		}
		k.rows = append(k.rows, row)
	}
	// Without a result, which an error of an earlier statement prevents, there are no fields to ask for.
	if err := rows.Err(); err != nil {
		return err
	}
	k.fields = append(k.fields, rows.FieldDescriptions()...)
	return nil
}

// Next implements tables.Rows, like the methods below.
func (k *kept) Next() bool {
	if len(k.rows) == 0 {
		return false
	}
	k.row, k.rows = k.rows[0], k.rows[1:]
	return true
}

func (k *kept) Scan(dest ...any) error {
	if len(dest) != len(k.row) {
		return fmt.Errorf("%d destinations for %d columns", len(dest), len(k.row))
	}
	if k.as == nil {
		k.as, _ = k.types.Get().(*pgtype.Map)
	}
	for i, to := range dest {
		if err := k.as.Scan(k.fields[i].DataTypeOID, k.fields[i].Format, k.row[i], to); err != nil {
			return fmt.Errorf("column %s: %w", k.fields[i].Name, err)
		}
	}
	return nil
}

func (*kept) Err() error { return nil }

func (k *kept) Close() error {
	if k.as != nil {
		k.types.Put(k.as)
		k.as = nil
	}
	k.rows = nil
	return nil
}
