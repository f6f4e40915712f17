package tables

import (
	"database/sql"
	"time"
)

// Microseconds returns t as a column holds it: since 1970, NULL for the zero Time.
func Microseconds(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

// Instant is the inverse of Microseconds.
func Instant(column sql.NullInt64) time.Time {
	if !column.Valid {
		return time.Time{}
	}
	return time.UnixMicro(column.Int64).UTC()
}
